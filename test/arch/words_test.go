// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWords holds texts to the glossary.
func TestWords(t *testing.T) {
	t.Parallel()
	const who = `: say "the user", "the caller", "the author", "another client" (docs/glossary.md)`
	for name, tc := range map[string]struct {
		path, source string
		want         []string
	}{
		"plain":            {"docs/a.md", "An int is expected, next to it.\n", nil},
		"a page":           {"docs/a.md", "# A\n\nSomebody writes.\n", []string{`3: words: "Somebody"` + who}},
		"a script":         {"test/e2e/testdata/a/b.txtar", "# Only what who builds names.\n", []string{`1: words: "who builds"` + who}},
		"a message":        {"test/kit/a.go", head + "const a = \"whoever\"\n", []string{`5: words: "whoever"` + who}},
		"two on a line":    {"docs/a.md", "It is wanted and can be had.\n", []string{`1: words: "be had": say "available", "read", "made" or "restored" (docs/glossary.md)`, `1: words: "is wanted": say "expected", "required", "requested" or "desired" (docs/glossary.md)`}},
		"part of a word":   {"docs/a.md", "The parts besides that had been read.\n", nil},
		"a user of Unix":   {"docs/a.md", "It runs as the user nobody.\n", nil},
		"no one":           {"docs/a.md", "Nobody reads it.\n", []string{`1: words: "Nobody": say "the user", "the caller", "no server" (or "the user nobody" of Unix) (docs/glossary.md)`}},
		"the glossary":     {"docs/glossary.md", "| the user | whoever types |\n", nil},
		"this package":     {"test/arch/words.go", head, nil},
		"a comment in CUE": {"test/modules/a/a.cue", "// SPDX-License-Identifier: Apache-2.0\n// Beside it.\n", []string{`2: words: "Beside": say "next to", "in addition to", "other than" or "compared with" (docs/glossary.md)`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check(tc.path, tc.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
