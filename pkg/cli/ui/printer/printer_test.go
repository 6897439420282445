// SPDX-License-Identifier: Apache-2.0

package printer_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

func outcomes() []printer.Outcome {
	return printer.Outcomes([]event.Outcome{
		{Object: event.Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "apps", Name: "web"}, Action: event.Created},
		{Object: event.Object{Version: "v1", Kind: "Namespace", Name: "apps"}, Action: event.Kept, Reason: "in use"},
	})
}

func flags(t *testing.T, args ...string) *printer.Flags {
	t.Helper()
	f := printer.New(printer.InProcess, "name", "wide")
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.AddTo(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPrint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		return fixture.Write(t, filepath.Join(dir, name), text)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"name":          {[]string{"-o", "name"}, "deployment.apps/web\nnamespace/apps\n"},
		"jsonpath":      {[]string{"-o", "jsonpath={.items[*].metadata.name}"}, "web apps"},
		"jsonpath file": {[]string{"-o", "jsonpath-file=" + write("p", "{.items[0].action}")}, "created"},
		"go-template":   {[]string{"-o", `go-template={{range .items}}{{.kind}} {{end}}`}, "Deployment Namespace "},
		"template flag": {[]string{"--template", `{{len .items}}`}, "2"},
		"custom-columns": {
			[]string{"-o", "custom-columns=KIND:.kind,NS:metadata.namespace,NAME:{.metadata.name}"},
			"KIND         NS       NAME\nDeployment   apps     web\nNamespace    <none>   apps\n",
		},
		"custom-columns without headers": {
			[]string{"-o", "custom-columns=KIND:.kind", "--no-headers"}, "Deployment\nNamespace\n",
		},
		"custom-columns-file": {
			[]string{"-o", "custom-columns-file=" + write("c", "A   WHY\n.action .reason\n")},
			"A         WHY\ncreated   <none>\nkept      in use\n",
		},
		"yaml": {[]string{"-o", "yaml"}, `apiVersion: v1
items:
- action: created
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    namespace: apps
- action: kept
  apiVersion: v1
  kind: Namespace
  metadata:
    name: apps
  reason: in use
kind: List
metadata: {}
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flags(t, tc.args...)
			if _, text := f.Format(); text {
				t.Error("the format is taken for one of the command's own")
			}
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := f.Print(&b, outcomes()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMissingKeys prints a field that does not exist.
// TestPrintControlsNoTerminal holds that what a cluster says cannot control a
// terminal in any format, and that a program reads the same value.
func TestPrintControlsNoTerminal(t *testing.T) {
	t.Parallel()
	text := "a\x1b[2Jb\r\nc\u009bd\u202ee\u2028f\u0085g\x7f"
	list := []event.Outcome{{Object: event.Object{Version: "v1", Kind: "A", Name: text}, Action: event.Created, Reason: text}}
	for _, format := range []string{"json", "yaml", "kyaml", "name", "jsonpath-as-json={.items[0].reason}", "custom-columns=A:.reason"} {
		var b strings.Builder
		if err := flags(t, "-o", format).Print(&b, printer.Outcomes(list)); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if !mask.IsSafe(b.String()) {
			t.Errorf("-o %s lets characters through: %q", format, b.String())
		}
		var read struct{ Items []struct{ Reason string } }
		if format == "json" || format == "yaml" || format == "kyaml" {
			if err := yaml.Unmarshal([]byte(b.String()), &read); err != nil || read.Items[0].Reason != text {
				t.Errorf("-o %s is read as %q: %v\n%s", format, read, err, b.String())
			}
		}
	}
}

func TestMissingKeys(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jsonpath={.items[0].reason}", "go-template={{(index .items 0).reason}}"} {
		for _, allowed := range []bool{true, false} {
			f := flags(t, "-o", format, fmt.Sprintf("--allow-missing-template-keys=%v", allowed))
			if err := f.Print(io.Discard, outcomes()); (err == nil) != allowed {
				t.Errorf("%s, allowed: %v: error %v", format, allowed, err)
			}
		}
	}
}

func TestPrintOne(t *testing.T) {
	t.Parallel()
	f := flags(t, "-o", "json")
	var b strings.Builder
	if err := f.Print(&b, outcomes()[1]); err != nil {
		t.Fatal(err)
	}
	want := `{
    "action": "kept",
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "apps"
    },
    "reason": "in use"
}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	if err := f.Print(&b, []printer.Outcome(nil)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"items": []`) {
		t.Errorf("nothing is printed as %s", b.String())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ args, want []string }{
		"unknown":      {[]string{"-o", "xml"}, []string{`output format "xml" is not one of json, yaml`}},
		"bad path":     {[]string{"-o", "jsonpath={.items[}"}, []string{"jsonpath"}},
		"no template":  {[]string{"-o", "go-template"}, []string{"template"}},
		"bad template": {[]string{"-o", "go-template={{"}, []string{"template"}},
		"bad column":   {[]string{"-o", "custom-columns=NAME"}, []string{`column "NAME"`, "TITLE:PATH"}},
		"no file":      {[]string{"-o", "custom-columns-file=/no/such"}, []string{"/no/such"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := flags(t, tc.args...).Check()
			if fail.CodeOf(err) != fail.Usage {
				t.Fatalf("got %v, want a usage error", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	for _, own := range []string{"", "wide"} {
		f := flags(t, "-o", own)
		if format, ok := f.Format(); !ok || format != own || f.Check() != nil {
			t.Errorf("-o %q: %q, %v, %v", own, format, ok, f.Check())
		}
	}
	if hints := fail.HintsOf(flags(t, "-o", "jsn").Check()); len(hints) != 1 || hints[0] != "did you mean -o json?" {
		t.Errorf("hints %q", hints)
	}
}
