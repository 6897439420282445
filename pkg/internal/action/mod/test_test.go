// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestTest runs tests of the minimal blueprint, which renders a ConfigMap. Each
// is run, and run again to be updated.
func TestTest(t *testing.T) {
	t.Parallel()
	const configMap = `apiVersion: v1
data:
  message: Hello World
kind: ConfigMap
metadata:
  labels:
    app.kubernetes.io/managed-by: timoni
    app.kubernetes.io/name: app
    app.kubernetes.io/version: 0.0.0-devel
  name: app
  namespace: default
`
	runTests(t, ".txtar", map[string]testCase{
		"passes": {
			test: "# It says hello.\nname: x\nnamespace: web\nmodule-version: 1.2.3\nkube-version: 1.30.0\n" +
				"-- values.yaml --\nmessage: hello\n" +
				"-- want.yaml --\nkind: ConfigMap\nmetadata: {name: x, namespace: web, labels: {app.kubernetes.io/version: 1.2.3}}\ndata: {message: hello, other: null}\n" +
				"-- absent --\nConfigMap/y\n",
		},
		"later values win": {
			test: "-- values.yaml --\nmessage: a\n-- values-2.cue --\nvalues: message: \"b\"\n-- values-3.json --\n{\"message\": \"c\"}\n" +
				"-- want.yaml --\nkind: ConfigMap\ndata: {message: c}\n",
		},
		"exact": {test: "-- objects.yaml --\n" + configMap},
		"exact, otherwise": {
			test:    "-- objects.yaml --\n" + strings.Replace(configMap, "World", "Moon", 1),
			failure: "the objects are others:\n--- want\n+++ got\n@@ -1,6 +1,6 @@\n apiVersion: v1\n data:\n-  message: Hello Moon\n+  message: Hello World\n",
			updated: "-- objects.yaml --\n" + configMap,
		},
		"nothing is expected": {
			test: "# New.\n", failure: "nothing is expected: an update writes", updated: "# New.\n-- objects.yaml --\n" + configMap,
		},
		"part, otherwise": {
			test:    "-- want.yaml --\nkind: ConfigMap\n# kept\n---\nkind: ConfigMap\ndata: {message: x}\n-- absent --\nJob/x\n",
			failure: "ConfigMap/* differs from the expected object:\n--- want\n+++ got\n@@ -1,3 +1,3 @@\n data:\n-  message: x\n+  message: Hello World\n kind: ConfigMap",
			updated: "-- want.yaml --\nkind: ConfigMap\n# kept\n---\ndata:\n  message: Hello World\nkind: ConfigMap\n-- absent --\nJob/x\n",
		},
		"null, and there": {
			test:    "-- want.yaml --\ndata: null\nkind: ConfigMap\n",
			failure: "-data: null\n+data:\n+  message: Hello World\n", updated: "-- want.yaml --\ndata:\n  message: Hello World\nkind: ConfigMap\n",
		},
		"not rendered":       {test: "-- want.yaml --\nkind: Job\n", failure: "Job/* is not rendered: there are ConfigMap/app"},
		"rendered":           {test: "-- absent --\nConfigMap/app\n", failure: "ConfigMap/app is rendered"},
		"error":              {test: "-- values.yaml --\nmesage: x\n-- error --\nmesage\n"},
		"no error":           {test: "-- error --\nmesage\n", failure: "an error is expected, and there is none"},
		"unexpected error":   {test: "# x\n\n-- values.yaml --\n# y\nmesage: x\n-- absent --\nJob/x\n", failure: "unexpected_error.txtar:5:1"},
		"unknown setting":    {test: "# x\nnamspace: y\n", failure: `unknown_setting.txtar:2: "namspace: y" is neither a comment`},
		"unknown values":     {test: "values: x\n", failure: `values "x" are neither default nor debug`},
		"unknown section":    {test: "# x\n-- wants.yaml --\n", failure: `unknown_section.txtar:2: unknown section "wants.yaml": want`},
		"no name":            {test: "# x\n-- --\n", failure: "no_name.txtar:2: a section has no name"},
		"no kind":            {test: "-- want.yaml --\na: 1\n", failure: "an object has no kind"},
		"invalid want":       {test: "-- want.yaml --\na: [\n", failure: "invalid_want.txtar:1: section want.yaml:"},
		"wrong Kubernetes":   {test: "kube-version: new\n-- absent --\nJob/x\n", failure: `"new" is not a version of Kubernetes`},
		"embed is not given": {test: "-- values.cue --\n@extern(embed)\nvalues: message: _ @embed(file=\"../x\",type=text)\n-- error --\nembed\n"},
	})
}

// TestTestCUE runs cases in CUE of the minimal blueprint, and runs them again to
// be updated.
func TestTestCUE(t *testing.T) {
	t.Parallel()
	runTests(t, ".cue", map[string]testCase{
		"passes": {
			test: `cases: a: {name: "x", namespace: "web", moduleVersion: "1.2.3", kubeVersion: "1.30.0", values: message: "hello", ` +
				`want: [{kind: "ConfigMap", metadata: {name: "x", namespace: "web", labels: "app.kubernetes.io/version": "1.2.3"}, data: {message: "hello", other: null}}], absent: ["ConfigMap/y"]}`,
		},
		"constraints": {test: `cases: a: want: [{kind: "ConfigMap", metadata: labels: [string]: =~"^[a-z0-9.-]+$", data: {message: =~"^Hello", ...}}]`},
		"not met": {
			test:    `cases: a: want: [{kind: "ConfigMap", data: message: =~"^Bye" & !="x"}]`,
			failure: "ConfigMap/* differs from the expected object:\n--- want\n+++ got\n@@ -1,3 +1,3 @@\n data:\n-  message: =~\"^Bye\" & !=\"x\"\n+  message: Hello World\n kind: ConfigMap",
		},
		"pattern not met":  {test: `cases: a: want: [{kind: "ConfigMap", data: [string]: =~"^Bye"}]`, failure: "-data: [string]: =~\"^Bye\"\n"},
		"computed":         {test: `cases: {for n in ["x", "y"] {"say \(n)": {values: message: n, want: [{kind: "ConfigMap", data: message: n}]}}}`},
		"imports":          {test: "import \"strings\"\n\ncases: a: {values: message: strings.ToUpper(\"x\"), want: [{kind: \"ConfigMap\", data: message: \"X\"}]}"},
		"error":            {test: `cases: {a: {values: mesage: "x", error: "mesage"}, b: {values: mesage: "x", error: ["unknown", "mesage"]}}`},
		"no error":         {test: `cases: a: error: "x"`, failure: "an error is expected, and there is none"},
		"unexpected error": {test: "cases: a: {\n\tvalues: {\n\t\tmesage: \"x\"\n\t}\n}\n", failure: "unexpected_error.cue:3:3: mesage: unknown field"},
		"unknown field":    {test: `cases: a: wants: []`, failure: "cases.a.wants: field not allowed"},
		"no kind":          {test: `cases: a: want: [{data: {}}]`, failure: "an object has no kind"},
		"no cases":         {test: `x: 1`, failure: "there is nothing in the field cases"},
		"outside":          {test: "@extern(embed)\n\npackage x\n\ncases: a: values: message: _ @embed(file=../../x,type=text)\n", failure: "outside.cue:5"},
		"otherwise": {
			test:    "cases: a: want: [{\n\tkind: \"ConfigMap\" // kept\n\tmetadata: name: =~\"a\"\n\tdata: message: \"x\"\n}]\n",
			failure: "-  message: x\n+  message: Hello World\n",
			updated: "cases: a: want: [{\n\tkind: \"ConfigMap\" // kept\n\tmetadata: name: =~\"a\"\n\tdata: message:  \"Hello World\"\n}]\n",
		},
		"computed, otherwise": {test: `cases: {for n in ["x"] {a: want: [{kind: "ConfigMap", data: message: n}]}}`, failure: "-  message: x\n"},
		"nothing is expected": {
			test: "cases: a: {}\n", failure: "nothing is expected: an update writes",
			updated: "cases: a: {\n\tobjects: [{\n\t\tapiVersion: \"v1\"\n\t\tdata: {\n\t\t\tmessage: \"Hello World\"\n\t\t}\n\t\tkind: \"ConfigMap\"\n\t\tmetadata: {\n\t\t\tlabels: {\n" +
				"\t\t\t\t\"app.kubernetes.io/managed-by\": \"timoni\"\n\t\t\t\t\"app.kubernetes.io/name\":       \"app\"\n\t\t\t\t\"app.kubernetes.io/version\":    \"0.0.0-devel\"\n\t\t\t}\n" +
				"\t\t\tname:      \"app\"\n\t\t\tnamespace: \"default\"\n\t\t}\n\t}]\n}\n",
		},
		"exact, otherwise": {test: `cases: {for n in ["x"] {a: objects: [{kind: n}]}}`, failure: "the objects are others:\n--- want\n+++ got\n"},
	})
}

// testCase is a test of the minimal blueprint.
type testCase struct {
	test    string
	failure string // contained in the first one; none when empty
	updated string // the test after the update, unless it stays
}

// runTests runs each test in a file of its own, and again to be updated.
func runTests(t *testing.T, extension string, cases map[string]testCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := strings.NewReplacer(" ", "_", ",", "").Replace(name)
			dir := initiated(t, true)
			file := fixture.Write(t, filepath.Join(dir, "tests", base+extension), tc.test)
			req := mod.TestRequest{Dir: dir, Run: regexp.MustCompile("^" + base + "(/|$)")}
			tested, err := mod.Test(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range tested {
				got := strings.Join(test.Failures, "\n")
				if (tc.failure == "") != (test.Status == mod.Passed) || !strings.Contains(got, tc.failure) {
					t.Errorf("%s %s, %s\nwant: %s", test.Name, test.Status, got, tc.failure)
				}
			}
			req.Update = true
			if tested, err = mod.Test(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			want := tc.test
			if tc.updated != "" {
				want = tc.updated
				if tested[0].Status != mod.Updated {
					t.Errorf("after the update: %s, %q", tested[0].Status, tested[0].Failures)
				}
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(data)); diff != "" {
				t.Errorf("after the update (-want +got):\n%s", diff)
			}
		})
	}
}

// initiated returns a new module, of the minimal blueprint or of the starter.
func initiated(t testing.TB, minimal bool) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := mod.Init(context.Background(), mod.InitRequest{Name: "app", Dir: dir, Minimal: minimal}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBlueprints runs the tests that new modules come with.
func TestBlueprints(t *testing.T) {
	t.Parallel()
	for name, minimal := range map[string]bool{"starter": false, "minimal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tested, err := mod.Test(t.Context(), mod.TestRequest{Dir: initiated(t, minimal)})
			if err != nil || len(tested) < 2 {
				t.Fatalf("%d tests, %v", len(tested), err)
			}
			for _, test := range tested {
				if test.Status != mod.Passed {
					t.Errorf("%s %s: %q", test.Name, test.Status, test.Failures)
				}
			}
		})
	}
}

func TestTestFindsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := mod.Test(context.Background(), mod.TestRequest{Dir: dir}); err == nil {
		t.Error("no error for what is no module")
	}
	fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), "module: \"timoni.sh/x\"\n")
	_, err := mod.Test(context.Background(), mod.TestRequest{Dir: dir})
	if fail.CodeOf(err) != fail.Failed || len(fail.HintsOf(err)) == 0 {
		t.Errorf("no tests: %v", err)
	}
	fixture.Write(t, filepath.Join(dir, "tests", "deep", "a.txtar"), "")
	_, err = mod.Test(context.Background(), mod.TestRequest{Dir: dir, Run: regexp.MustCompile("^a")})
	if fail.CodeOf(err) != fail.Usage {
		t.Errorf("none that matches: %v", err)
	}
}

// smallModule returns a module that is evaluated in a millisecond: a fuzz target
// evaluates it for each input.
func smallModule(t testing.TB) string {
	t.Helper()
	return fixture.Dir(t, map[string]string{
		"cue.mod/module.cue": "module: \"timoni.sh/x\"\nlanguage: version: \"v0.9.0\"\n",
		"values.cue":         "package main\n\nvalues: message: *\"hello\" | string\n",
		"timoni.cue": "package main\n\nvalues: message: string\ntimoni: {\n\tapiVersion: \"v1alpha1\"\n\tinstance: config: values\n" +
			"\tapply: app: [{apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: \"x\", data: message: values.message}]\n}\n",
	})
}

// FuzzTestCUE holds reading cases in CUE to not panicking, and an update to
// leave cases that pass.
func FuzzTestCUE(f *testing.F) {
	f.Add(`cases: a: {values: message: "x", want: [{kind: "ConfigMap", data: message: >"a"}]}`)
	f.Add(`cases: {a: {}, b: objects: [], c: error: ["x"], "": absent: ["a/b"]}`)
	dir := smallModule(f)
	f.Fuzz(func(t *testing.T, text string) {
		fixture.Write(t, filepath.Join(dir, "tests", "fuzz.cue"), text)
		req := mod.TestRequest{Dir: dir, Run: regexp.MustCompile("^fuzz(/|$)"), Update: true}
		first, err := mod.Test(context.Background(), req)
		if err != nil {
			return // of the file after the update
		}
		req.Update = false
		second, err := mod.Test(context.Background(), req)
		if err != nil || len(second) != len(first) {
			t.Fatalf("%d tests, then %d, %v", len(first), len(second), err)
		}
		for i, test := range first {
			if test.Status == mod.Updated && second[i].Status != mod.Passed {
				t.Errorf("%s after an update: %s, %q", test.Name, second[i].Status, second[i].Failures)
			}
		}
	})
}

// FuzzTest holds reading a test to not panicking, and an update to leave a test
// that passes or stays as it is.
func FuzzTest(f *testing.F) {
	f.Add("# x\nname: y\n-- values.yaml --\nmessage: a\n-- want.yaml --\nkind: ConfigMap\n---\nkind: ConfigMap\ndata: {message: [1, {name: a}]}\n")
	f.Add("-- objects.yaml --\n-- error --\nx\n-- absent --\nA/b")
	dir := smallModule(f)
	f.Fuzz(func(t *testing.T, text string) {
		fixture.Write(t, filepath.Join(dir, "tests", "fuzz.txtar"), text)
		req := mod.TestRequest{Dir: dir, Run: regexp.MustCompile("^fuzz$"), Update: true}
		first, err := mod.Test(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		if first[0].Status != mod.Updated {
			return
		}
		second, err := mod.Test(context.Background(), req)
		if err != nil || second[0].Status != mod.Passed {
			t.Errorf("after an update: %s, %q, %v", second[0].Status, second[0].Failures, err)
		}
	})
}
