// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/assignment"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// form returns the form of a flag's argument.
func form(flag string) assignment.Form {
	return map[string]assignment.Form{"--set-string": assignment.AsString, "--set-json": assignment.AsJSON, "--set-file": assignment.AsFile}[flag]
}

// flags returns the sources of flags, each "--set PATH=VALUE".
func flags(args ...string) ([]values.Source, error) {
	var sources []values.Source
	for _, arg := range args {
		flag, rest, _ := strings.Cut(arg, " ")
		src, err := form(flag).Source(context.Background(), flag, rest)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	return sources, nil
}

func set(module, schema string, args ...string) (string, error) {
	sources, err := flags(args...)
	if err != nil {
		return "", err
	}
	tree, err := values.Merge(sources)
	if err != nil {
		return "", err
	}
	root, err := overlay(tree, map[string]string{"values.cue": module, "schema.cue": schema})
	if err != nil {
		return "", tree.Explain(err, values.Module{})
	}
	return values.Text(root.LookupPath(cue.ParsePath("values")))
}

func TestFlag(t *testing.T) {
	t.Parallel()
	file := fixture.Write(t, filepath.Join(t.TempDir(), "page.html"), "<p>\nx\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"string":       {[]string{"--set a=b c"}, `{a: "b c"}`},
		"empty":        {[]string{"--set a="}, `{a: ""}`},
		"equals":       {[]string{"--set a=b=c"}, `{a: "b=c"}`},
		"int":          {[]string{"--set a=-12"}, `{a: -12}`},
		"float":        {[]string{"--set a=1.5"}, `{a: 1.5}`},
		"no number":    {[]string{"--set a=007", "--set b=1.2.3", "--set c=0x1", "--set d=1_000"}, `{a: "007", b: "1.2.3", c: "0x1", d: "1_000"}`},
		"bool":         {[]string{"--set a=true", "--set b=False"}, `{a: true, b: "False"}`},
		"null":         {[]string{"--set x=null"}, `{}`},
		"nested":       {[]string{"--set a.b.c=1", "--set a.b.d=2"}, `{a: {b: {c: 1, d: 2}}}`},
		"later wins":   {[]string{"--set a=1", "--set-string a=2", "--set a=3"}, `{a: 3}`},
		"set-string":   {[]string{"--set-string a=true", "--set-string b=1"}, `{a: "true", b: "1"}`},
		"set-json":     {[]string{`--set-json a={"b": [1, "x"], "c": null}`}, `{a: {b: [1, "x"]}}`},
		"set-file":     {[]string{"--set-file a=" + file}, `{a: "<p>\nx\n"}`},
		"quoted":       {[]string{`--set a."example.com/b"=1`, `--set a.example\.org/c=2`}, `{a: {"example.com/b": 1, "example.org/c": 2}}`},
		"odd in value": {[]string{`--set a="\(x)`}, `{a: "\"\\(x)"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := set("values: {x: 1}", "", tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			want, err := set("values: {x: 1}\nvalues: "+tc.want, "")
			if err != nil {
				t.Fatal(err)
			}
			if name == "null" {
				want = "{}"
			}
			if diff := cmp.Diff(fields(want), fields(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// fields returns the lines of a struct without their order and alignment.
func fields(text string) map[string]int {
	count := map[string]int{}
	for line := range strings.Lines(text) {
		count[strings.Join(strings.Fields(line), " ")]++
	}
	return count
}

func TestFlagError(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		arg, want string
		code      fail.Code
	}{
		"no value":   {"--set a", `--set: expected PATH=VALUE, the argument has no "="`, fail.Usage},
		"no path":    {"--set =x", "--set : a name in the path is empty", fail.Usage},
		"empty name": {"--set a..b=geheim", "--set a..b: a name in the path is empty", fail.Usage},
		"end":        {"--set a.=x", "--set a.: a name in the path is empty", fail.Usage},
		"index":      {"--set a[0]=x", "--set a[0]: a list is replaced as a whole", fail.Usage},
		"json":       {"--set-json a={geheim", "--set-json a: the value is not JSON", fail.Usage},
		"file":       {"--set-file a=nowhere", `--set-file a: file "nowhere": no such file or directory`, fail.Failed},
		"a secret":   {"--set-file password=geheim", `--set-file password: file "***": no such file or directory`, fail.Failed},
		"type": {"--set n=many", "--set n: expected an int, got the string \"many\"\n" +
			"    --set n=many\n            ^", fail.Failed},
		"in json": {`--set-json m={"n": "x"}`, "--set-json m: m.n: expected an int, got the string \"x\"\n" +
			"    --set-json m={\"n\": \"x\"}\n                       ^", fail.Failed},
		"secret": {"--set password=geheim", "--set password: expected an int, got the string ***\n" +
			"    --set password=***\n                   ^", fail.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := set("", "values: {n?: int, password?: int, m?: n?: int}", tc.arg)
			if err == nil || err.Error() != tc.want || fail.CodeOf(err) != tc.code {
				t.Errorf("error (code %d):\n%v\nwant (code %d):\n%s", fail.CodeOf(err), err, tc.code, tc.want)
			}
		})
	}
}

// FuzzFlag holds that any argument is a usage error or sets something, and that
// the places of an error lie in the flag.
func FuzzFlag(f *testing.F) {
	for _, seed := range []string{"a=1", `a."b.c"=x`, `a\.b=`, "a[0]=1", "=", ".", `"`, `"a`, "a={", "a=-1e5", "a\\", "\n=\n", "a=null"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, arg string, isJSON bool) {
		form := assignment.AsScalar
		if isJSON {
			form = assignment.AsJSON
		}
		src, err := form.Source(t.Context(), "--set", arg)
		if err != nil {
			if fail.CodeOf(err) != fail.Usage {
				t.Errorf("%q: code %d: %v", arg, fail.CodeOf(err), err)
			}
			return
		}
		tree, err := values.Merge([]values.Source{src})
		if err == nil {
			root, overlayErr := overlay(tree, map[string]string{"values.cue": "values: a: int"})
			_, err = root, tree.Explain(overlayErr, values.Module{})
		}
		checkPlaces(t, err, map[string]string{src.Name: string(src.Data), "module/values.cue": "values: a: int"})
	})
}
