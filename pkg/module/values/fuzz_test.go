// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/parser"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// FuzzSource holds that reading any input ends without a panic, and that the
// places of an error lie inside it.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{
		"a: 1\nb: [x, {c: null}]\n", `{"values": {"a": 1.5e3}}`, "values: {a: 1, b: a}\n_x: 1",
		"package x\nimport \"strings\"\nvalues: {for k in [1] {\"\\(k)\": strings.ToUpper(\"a\")}}",
		"&a [*a]", "a: &x {<<: *x}", "@extern(embed)\nvalues: _ @embed(file=x)", "", "---\n---\n", "\"\": 1",
	} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(1))
		f.Add([]byte(seed), uint8(2))
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		formats := []values.Format{values.Detect, values.CUE, values.YAML, values.JSON}
		src := values.Source{Name: "in", Data: data, Format: formats[int(format)%len(formats)]}
		_, err := values.Merge([]values.Source{src})
		checkPlaces(t, err, map[string]string{"in": string(data)})
	})
}

// FuzzMerge holds of any values.cue and any values in YAML that merging does
// not panic, that merging the same values twice is merging them once, and that
// the places of an error lie inside what was given.
func FuzzMerge(f *testing.F) {
	for _, seed := range [][2]string{
		{"values: {a: 1, b: c: \"x\"}", "a: 2\nb: {c: y}"},
		{"values: {a: 1, u: \"\\(a)\"}", "a: null"},
		{"_d: {x: 1, y: {z: 1}}\nvalues: {d: _d, if d.x > 0 {e: 1}}", "d: {x: 2, y: {z: 3}}\ne: 2"},
		{"values: X={a: *1 | int, (\"b\"): X.a, \"\\(\"c\")\": {d: 1}}", "b: 1\nc: {d: 2}"},
		{"import \"strings\"\nvalues: a: strings.ToUpper(\"a\")", "a: [1]"},
		{"values: {#D: {a: int}, x: #D & {a: 1}, [string]: _, ...}", "x: {a: 2}"},
		{"values: [1]", "a: {}"}, {"", "a: 1"}, {"values: close({a: 1})", "a: 2"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, module, user string) {
		src := values.Source{Name: "user", Data: []byte(user), Format: values.YAML}
		once, err := mergeText(module, src)
		checkPlaces(t, err, map[string]string{"module/values.cue": module, "user": user})
		twice, err2 := mergeText(module, src, src)
		if once != twice || (err == nil) != (err2 == nil) {
			t.Errorf("once:\n%s\n%v\ntwice:\n%s\n%v", once, err, twice, err2)
		}
	})
}

func mergeText(module string, sources ...values.Source) (string, error) {
	tree, err := values.Merge(sources)
	if err != nil {
		return "", err
	}
	if !parses(module) {
		return "", nil // not what is tested here
	}
	root, err := overlay(tree, map[string]string{"values.cue": module})
	if err != nil {
		text := func(string) []byte { return []byte(module) }
		err = tree.Explain(err, values.Module{Text: text})
		_ = err.Error() // is made of lines of both texts
		return "", err
	}
	return values.Text(root.LookupPath(cue.ParsePath("values")))
}

func parses(text string) bool {
	_, err := parser.ParseFile("x", text)
	return err == nil
}

// checkPlaces fails unless every place of err lies in a file of its name.
func checkPlaces(t *testing.T, err error, files map[string]string) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*values.Error](err)
	if !ok && strings.Contains(err.Error(), "internal error of CUE") {
		return // a panic of a decoder, which was caught
	}
	if !ok {
		t.Fatalf("an error without problems: %v", err)
	}
	for _, p := range e.Problems {
		for _, pos := range p.Positions {
			text, ok := files[pos.Filename]
			// A lone carriage return ends a line in YAML.
			lines := strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
			if !ok || pos.Line > len(lines)+1 {
				t.Errorf("%s: %s is in none of the files", p.Message, pos)
			}
		}
		if strings.Contains(p.Message, "timoniBase") && !slices.ContainsFunc([]string{files["in"], files["user"]}, func(s string) bool { return strings.Contains(s, "timoniBase") }) {
			t.Errorf("the message shows what only the merge has: %s", p.Message)
		}
	}
}
