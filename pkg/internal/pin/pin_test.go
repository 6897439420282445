// SPDX-License-Identifier: Apache-2.0

package pin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestEdit runs the scripts of testdata. The comment of each has lines
// "INSTANCE VERSION NEW [DIGEST NEW]", with - for none. "want" is what was found
// of each, and the files after it. A missing digest is added.
func TestEdit(t *testing.T) {
	t.Parallel()
	golden.Text(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) string {
		t.Helper()
		var files []cuefile.File
		for _, f := range archive.Files {
			if f.Name != "want" {
				files = append(files, cuefile.File{Name: f.Name, Format: cuefile.FormatOf(f.Name), Data: f.Data})
			}
		}
		parsed, err := pin.Parse(files)
		if err != nil {
			t.Fatal(err)
		}
		var edits pin.Edits
		var out strings.Builder
		for line := range strings.Lines(string(archive.Comment)) {
			if words := strings.Fields(line); len(words) == 5 {
				fmt.Fprintf(&out, "%s: %s\n", words[0], edit(parsed, &edits, words))
			}
		}
		for i, after := range parsed.Apply(&edits) {
			if after != nil {
				fmt.Fprintf(&out, "== %s\n%s", files[i].Name, after)
			}
		}
		return out.String()
	})
}

func edit(files *pin.Files, edits *pin.Edits, words []string) string {
	for i, word := range words {
		words[i] = strings.TrimPrefix(word, "-")
	}
	m := files.Find(words[0], words[1], words[3])
	if m == (pin.Module{}) {
		return "not found"
	}
	text := fmt.Sprintf("%s %+v", m.Place(), m.Rule())
	if m.Version != nil && words[2] != "" {
		if err := edits.Set(m.Version, words[2]); err != nil {
			return text + ": " + err.Error()
		}
	}
	switch {
	case words[4] == "":
	case m.Digest != nil:
		if err := edits.Set(m.Digest, words[4]); err != nil {
			return text + ": " + err.Error()
		}
	case m.Version.IsField():
		if err := files.Insert(edits, m.Version, "digest", words[4]); err != nil {
			return text + ": " + err.Error()
		}
	default:
		return text + ": no digest is added"
	}
	return text
}
