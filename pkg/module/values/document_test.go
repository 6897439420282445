// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/assignment"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// TestDocument holds that what a parser does not end on, or reads otherwise
// than the others, is the right value or an error with a place.
func TestDocument(t *testing.T) {
	t.Parallel()
	merges, aliases := "a0: &a0 {x: 1}\n", "a0: &a0 [1, 2]\n"
	for i := 1; i < 49; i++ {
		merges += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i-1, i-1)
		aliases += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	deep := strings.Repeat("{a: ", 49) + "1" + strings.Repeat("}", 49)
	for name, tc := range map[string]struct{ file, text, want string }{
		"merge bomb":          {"in.yaml", merges, "in.yaml:11:16: aliases and merge keys stand for more than 10000 values"},
		"alias bomb":          {"in.yaml", aliases, "in.yaml:14:12: aliases and merge keys stand for more than 50000 values"},
		"own alias":           {"in.yaml", "a: &a [*a]\n", "in.yaml:1:8: a value that contains itself"},
		"own merge":           {"in.yaml", "a: &a {<<: *a}\n", "in.yaml:1:12: a value that contains itself"},
		"49 maps":             {"in.yaml", "a: " + deep, ""},
		"501 lists":           {"in.yaml", "a: " + strings.Repeat("[", 501) + strings.Repeat("]", 501), "in.yaml:1:503: more than 500"},
		"int64":               {"in.yaml", "a: [9223372036854775807, -9223372036854775808, 18446744073709551615, 0x7fffffffffffffff]", "a: [9223372036854775807, -9223372036854775808, 18446744073709551615, 0x7fffffffffffffff]"},
		"large in yaml":       {"in.yaml", "b: 1\na: 123456789012345678901", "in.yaml:2:4: the integer does not fit into 64 bits"},
		"small in yaml":       {"in.yaml", "a: [-9223372036854775809]", "in.yaml:1:5: the integer does not fit into 64 bits"},
		"tagged in yaml":      {"in.yaml", "a: !!int 123456789012345678901", "in.yaml:1:4: the integer does not fit"},
		"large in json":       {"in.json", `{"a": 123456789012345678901}`, "in.json:1:7: the integer does not fit into 64 bits"},
		"large in cue":        {"in.cue", "values: a: -123456789012345678901", "in.cue:1:13: the integer does not fit into 64 bits"},
		"large float":         {"in.json", `{"a": 1e999}`, "in.json:1:7: the number does not fit into 64 bits"},
		"infinite":            {"in.yaml", "a: .inf", "in.yaml:1:4: the number is not finite"},
		"negative infinite":   {"in.yaml", "a: -.inf", "in.yaml:1:4: the number is not finite"},
		"not a number":        {"in.yaml", "a: .nan", "in.yaml:1:4: the number is not finite"},
		"float without point": {"in.yaml", "a: [!!float 3, !!float -4, 5.5, 1e3]", "a: [3, -4, 5.5, 1e3]"},
		"json with a mark":    {"in.json", "\ufeff{\"a\": 1}", "a: 1"},
		"place after a mark":  {"in.json", "\ufeff{\"a\": }", "in.json:1:7: invalid JSON"},
		"yaml with a mark":    {"in.yaml", "\ufeffa: 1", "a: 1"},
		"cue with a mark":     {"in.cue", "\ufeffvalues: a: 1", "a: 1"},
		"stdin with a mark":   {"", "\ufeff{\"a\": 1}", "a: 1"},
		"trailing separator":  {"in.yaml", "a: 1\n---\n", "a: 1"},
		"leading separators":  {"in.yaml", "---\n# nothing\n---\na: 1\n---\n---\n", "a: 1"},
		"name in form D":      {"in.yaml", "a: 1\ne\u0301: 1", "in.yaml:2:1: the name \"e\u0301\" would become \"é\""},
		"value in form D":     {"in.yaml", "a: e\u0301", "a: \"e\u0301\""},
		"two documents":       {"in.yaml", "a: 1\n---\nb: 1\n", "in.yaml:3:1: a second YAML document"},
		"broken second":       {"in.yaml", "a: 1\n---\nb: [\n", "in.yaml:4: did not find expected node content"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := values.Source{Name: tc.file, Data: []byte(tc.text)}
			if src.Format = values.Format(strings.TrimPrefix(filepath.Ext(tc.file), ".")); tc.file == "" {
				src.Name = values.StdinName
			}
			got, err := mergedText(src)
			switch {
			case err != nil && (tc.want == "" || !strings.HasPrefix(err.Error(), tc.want)):
				t.Errorf("error %v, want %q", err, tc.want)
			case err == nil && tc.want != "" && got != "values: {"+tc.want+"}":
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// mergedText returns, on one line, what a source makes of an empty values.cue.
func mergedText(src values.Source) (string, error) {
	tree, err := values.Merge([]values.Source{src})
	if err != nil {
		return "", err
	}
	root, err := overlay(tree, map[string]string{"values.cue": "values: {}"})
	if err != nil {
		return "", err
	}
	text, err := values.Text(root.LookupPath(cue.ParsePath("values")))
	return "values: " + strings.NewReplacer("\n\t", "", "\n", "").Replace(text), err
}

// TestSetFileUTF8 holds that a file's bytes are the string, or an error that
// names the file and the place.
func TestSetFileUTF8(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.bin")
	for text, want := range map[string]string{"é\x00\u009b\n": "", "A\nB\xff\xfe": "the byte at offset 3, in line 2, is not valid UTF-8", "\xef\xbb": "offset 0"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := assignment.AsFile.Source(t.Context(), "--set-file", "a="+file)
		if want == "" {
			got, evalErr := mergedText(src)
			if err != nil || evalErr != nil || !strings.Contains(got, `é\u0000`) {
				t.Errorf("%q: %q, %v, %v", text, got, err, evalErr)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := assignment.AsScalar.Source(t.Context(), "--set", "a=\xff"); err == nil || !strings.Contains(err.Error(), "not valid UTF-8") {
		t.Errorf("a flag with an invalid byte: %v", err)
	}
}
