// SPDX-License-Identifier: Apache-2.0

package plugins_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

func TestDispatch(t *testing.T) {
	t.Parallel()
	const (
		kubectl  = "kubectl timoni"
		instance = "kubectl-timoni-instance"
		apply    = "kubectl-timoni-apply"
		mod      = "kubectl-timoni-mod"
		artifact = "kubectl-timoni-artifact"
		bundle   = "kubectl-timoni-bundle"
	)
	for line, want := range map[string]plugins.Call{
		"":                         {},
		"-n apps":                  {},
		"--help":                   {},
		"help":                     {},
		"help help":                {},
		"help doctor":              {},
		"version -o json":          {},
		"-n apps doctor":           {},
		"help timoni":              {},
		"help glossary":            {},
		"template app ./m":         {"kubectl-timoni-build", kubectl + " build", []string{"app", "./m"}},
		"-n x lint ./m":            {mod, kubectl + " mod", []string{"vet", "-n", "x", "./m"}},
		"help lint":                {mod, kubectl + " mod", []string{"vet", "--help"}},
		"--kube-context x list":    {instance, kubectl, []string{"list", "--kube-context", "x"}},
		"--registry-insecure list": {instance, kubectl, []string{"list", "--registry-insecure"}},
		"build app ./m":            {"kubectl-timoni-build", kubectl + " build", []string{"app", "./m"}},
		"apply app ./m -n x":       {apply, kubectl + " apply", []string{"app", "./m", "-n", "x"}},
		"install app ./m":          {apply, kubectl + " install", []string{"app", "./m"}},
		"status app":               {apply, kubectl + " status", []string{"app"}},
		"list":                     {instance, kubectl, []string{"list"}},
		"ls":                       {instance, kubectl, []string{"list"}},
		"-n x uninstall app":       {instance, kubectl, []string{"delete", "-n", "x", "app"}},
		"-n apps list -o wide":     {instance, kubectl, []string{"list", "-n", "apps", "-o", "wide"}},
		"-napps list":              {instance, kubectl, []string{"list", "-napps"}},
		"-An apps list":            {instance, kubectl, []string{"list", "-An", "apps"}},
		"-A list":                  {instance, kubectl, []string{"list", "-A"}},
		"--namespace=list list":    {instance, kubectl, []string{"list", "--namespace=list"}},
		"--namespace list inspect": {instance, kubectl, []string{"inspect", "--namespace", "list"}},
		"-v 4 --context x list":    {instance, kubectl, []string{"list", "-v", "4", "--context", "x"}},
		"-v=4 list":                {instance, kubectl, []string{"list", "-v=4"}},
		"--as a --as-group=b list": {instance, kubectl, []string{"list", "--as", "a", "--as-group=b"}},
		"--disable-compression list": {
			instance, kubectl, []string{"list", "--disable-compression"},
		},
		"-h list":                      {instance, kubectl, []string{"list", "-h"}},
		"help list":                    {instance, kubectl, []string{"list", "--help"}},
		"instance list -A":             {instance, kubectl + " instance", []string{"list", "-A"}},
		"instance":                     {instance, kubectl + " instance", nil},
		"-n x status app":              {apply, kubectl + " status", []string{"-n", "x", "app"}},
		"mod vet ./m":                  {mod, kubectl + " mod", []string{"vet", "./m"}},
		"help mod vet":                 {mod, kubectl + " mod", []string{"vet", "--help"}},
		"mod --help":                   {mod, kubectl + " mod", []string{"--help"}},
		"fmt ./m":                      {mod, kubectl, []string{"fmt", "./m"}},
		"artifact push oci://h/r":      {artifact, kubectl + " artifact", []string{"push", "oci://h/r"}},
		"registry login h":             {artifact, kubectl, []string{"registry", "login", "h"}},
		"-s x bundle apply -f b.cue":   {bundle, kubectl + " bundle", []string{"apply", "-s", "x", "-f", "b.cue"}},
		"--context x runtime build -f": {bundle, kubectl, []string{"runtime", "build", "--context", "x", "-f"}},
		"kustomize ./dir":              {"timoni-krm", kubectl, []string{"kustomize", "./dir"}},
		"krm install":                  {"timoni-krm", kubectl, []string{"krm", "install"}},
		"build app ./m -- -n list":     {"kubectl-timoni-build", kubectl + " build", []string{"app", "./m", "--", "-n", "list"}},
		"--kubeconfig f apply app m -f - --version 1.0.0": {apply, kubectl + " apply", []string{
			"--kubeconfig", "f", "app", "m", "-f", "-", "--version", "1.0.0",
		}},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			got, err := plugins.Dispatch(kubectl, strings.Fields(line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A sibling reads only two forms of the program from argv[0].
func TestDispatchProgram(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"kubectl timoni": "kubectl timoni status",
		"kubectl-timoni": "kubectl-timoni status",
		"door":           "kubectl-timoni status",
	} {
		call, err := plugins.Dispatch(program, []string{"status"})
		if err != nil || call.Argv0 != want {
			t.Errorf("from %q: %q, %v; want %q", program, call.Argv0, err, want)
		}
	}
}

func TestDispatchErrors(t *testing.T) {
	t.Parallel()
	type want struct{ Error, Hint string }
	for line, want := range map[string]want{
		"aply app":      {`kubectl timoni has no verb "aply"`, "did you mean 'kubectl timoni apply'?"},
		"lst":           {`kubectl timoni has no verb "lst"`, "did you mean 'kubectl timoni list'?"},
		"-n x verison":  {`kubectl timoni has no verb "verison"`, "did you mean 'kubectl timoni version'?"},
		"x":             {`kubectl timoni has no verb "x"`, "see 'kubectl timoni help'"},
		"help aply":     {`kubectl timoni has no verb "aply"`, "did you mean 'kubectl timoni apply'?"},
		"--wait list":   {"unknown flag --wait before the verb", "a verb's own flags follow it: kubectl timoni VERB --wait"},
		"-f v.cue list": {"unknown flag -f before the verb", "a verb's own flags follow it: kubectl timoni VERB -f"},
		"--version":     {"unknown flag --version before the verb", "kubectl timoni version"},
		"--":            {"unknown flag -- before the verb", "a verb's own flags follow it: kubectl timoni VERB --"},
		"--context":     {"flag --context needs a value", ""},
		"-An":           {"flag -An needs a value", ""},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			_, err := plugins.Dispatch("kubectl timoni", strings.Fields(line))
			if fail.CodeOf(err) != fail.Usage {
				t.Fatalf("code %d of %v", fail.CodeOf(err), err)
			}
			if diff := cmp.Diff(want.Error, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Hint, strings.Join(fail.HintsOf(err), "\n")); diff != "" {
				t.Errorf("hint (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is typed: what a sibling is given is what was typed, no word lost,
// added or changed, except that help becomes --help and a verb its first name.
func FuzzDispatch(f *testing.F) {
	for _, line := range []string{"", "-n x list -A", "mod vet .", "help mod vet", "-sx -A --as a apply a b", "- --", "--=", "-é list"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		call, err := plugins.Dispatch("kubectl timoni", args)
		if err != nil {
			if fail.CodeOf(err) != fail.Usage {
				t.Fatalf("code %d of %v", fail.CodeOf(err), err)
			}
			return
		}
		if call.Binary == "" {
			return
		}
		if !slices.Contains(plugins.Siblings(), call.Binary) {
			t.Fatalf("%q is no sibling", call.Binary)
		}
		got := slices.Concat(call.Args, strings.Fields(strings.TrimPrefix(call.Argv0, "kubectl timoni")))
		rename := func(words []string) []string {
			words = strings.Fields(strings.NewReplacer("--help", "help", "uninstall", "delete", "ls", "list").
				Replace(strings.Join(words, " ")))
			slices.Sort(words)
			return words
		}
		if !slices.Equal(rename(got), rename(args)) {
			t.Fatalf("%q became %q", args, got)
		}
	})
}
