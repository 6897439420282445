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
		if err := files.Insert(edits, m.Version, pin.Field{Name: "digest", Value: words[4]}); err != nil {
			return text + ": " + err.Error()
		}
	default:
		return text + ": no digest is added"
	}
	return text
}

// TestLineEnds holds that a digest that is added ends its line as the file does,
// and that no other byte changes.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	const cue = "bundle: instances: a: module: {\n\turl: \"x\"\n\tversion: \"1.0.0\" // it\n}\n"
	const yaml = "bundle:\n  instances:\n    a:\n      module:\n        url: x\n        version: 1.0.0"
	const json = "{\"bundle\": {\"instances\": {\"a\": {\"module\": {\n  \"version\": \"1.0.0\"\n}}}}}\n"
	for name, c := range map[string]struct{ before, after string }{
		"bundle.cue":  {cue, strings.Replace(cue, "// it\n", "// it\n\tdigest: \"new\"\n", 1)},
		"bundle.yaml": {yaml, yaml + "\n        digest: \"new\""},
		"bundle.json": {json, strings.Replace(json, "  \"version\"", "  \"digest\": \"new\",\n  \"version\"", 1)},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			data := []byte(strings.ReplaceAll(c.before, "\n", end))
			files, err := pin.Parse([]cuefile.File{{Name: name, Format: cuefile.FormatOf(name), Data: data}})
			if err != nil {
				t.Fatal(err)
			}
			var edits pin.Edits
			if err = files.Insert(&edits, files.Find("a", "1.0.0", "").Version, pin.Field{Name: "digest", Value: "new"}); err != nil {
				t.Fatal(err)
			}
			if got, want := string(files.Apply(&edits)[0]), strings.ReplaceAll(c.after, "\n", end); got != want {
				t.Errorf("%s becomes %q, want %q", name, got, want)
			}
		}
	}
}
