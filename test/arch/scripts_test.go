// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestScripts holds that an assertion of an end-to-end script can fail.
func TestScripts(t *testing.T) {
	t.Parallel()
	const (
		silent  = "script: code 3 prog app: must fail, but nothing says with which text"
		cannot  = "the text is an argument of the command, so that this cannot fail"
		program = "test/e2e/testdata/family/a.txtar"
	)
	for name, tc := range map[string]struct {
		source string
		want   []string
	}{
		"a text":                    {"code 3 prog app\nstderr 'is missing$'\n", nil},
		"a text after a comment":    {"code 3 prog app\n\n# Why.\nstderr 'is missing$'\n", nil},
		"a text on stdout":          {"code 1 prog app\nstdout 'is missing$'\n", nil},
		"a golden text":             {"code 3 prog app\ncmp stderr want\n", nil},
		"a copy":                    {"code 3 prog app\ncp stderr got\n", nil},
		"no text":                   {"code 3 prog app\n", []string{"1: " + silent}},
		"no text before the next":   {"code 3 prog app\nexec prog b\nstderr 'is missing$'\n", []string{"1: " + silent}},
		"no text before a file":     {"code 3 prog app\n-- stderr --\nstderr x\n", []string{"1: " + silent}},
		"only what is not printed":  {"code 3 prog app\n! stdout .\n", []string{"1: " + silent}},
		"negated":                   {"\n[unix] ! exec prog\n", []string{"2: script: [unix] ! exec prog: must fail, but nothing says with which text"}},
		"under a condition":         {"[unix] ! exec prog\n[unix] stderr 'is missing$'\n", nil},
		"must not fail":             {"code 0 prog app\nexec prog app\n", nil},
		"whose code is the answer":  {"! exec grep x y\n! exec test -f y\n! exec cmp x y\n! exists y\n! kget pod y\n", nil},
		"the name":                  {"code 3 prog twice\nstderr 'twice'\n", []string{"2: script: stderr twice: " + cannot}},
		"the name by a variable":    {"code 3 prog $NS\nstderr $NS\n", []string{"2: script: stderr $NS: " + cannot}},
		"the name and more":         {"code 3 prog twice\nstderr '^error: twice: is missing$'\n", nil},
		"any text":                  {"code 3 prog app\nstderr .\n", []string{"2: script: stderr .: " + cannot}},
		"the name, which is absent": {"code 3 prog app\nstderr 'is missing$'\n! stderr app\n", nil},
		"the name of a success":     {"exec prog app\nstdout app\n", nil},
		"quotes":                    {"code 3 prog 'it''s a #'\nstderr 'it''s a #' # why\n", []string{"2: script: stderr it's a #: " + cannot}},
		"250 lines":                 {strings.Repeat("exec prog\n", 250), nil},
		"251 lines":                 {strings.Repeat("exec prog\n", 251), []string{"1: script: has 251 lines, at most 250: split it by what it promises"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check(program, tc.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := check("pkg/a/testdata/a.txtar", "code 3 prog app\n"); got != nil {
		t.Errorf("another script: %q", got)
	}
}
