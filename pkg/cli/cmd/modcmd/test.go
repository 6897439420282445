// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

const testLong = `Run the tests of a module, without a cluster.

DIR is the module, by default the current directory. Its tests are the files
below tests. One in txtar is a test: comments and settings, then sections with
values and what they make. What an API server would refuse in the objects makes a
test fail, or is the error that it expects.

  # Three replicas are spread over the zones.
  namespace: web
  -- values.yaml --
  replicas: 3
  -- want.yaml --
  kind: Deployment
  spec:
    replicas: 3
    template: {spec: {containers: [{name: web}]}}
  -- absent --
  Job/app-test

settings      name, namespace, package, kube-version, module-version, and
              values: debug for those of debug_values.cue
values*.EXT   values in CUE, YAML or JSON, merged in the order of the sections
want.yaml     parts of objects: fields that are not mentioned may be anything,
              null means that there is no such field; list elements are found by
              their names where all have one
objects.yaml  all objects, byte for byte
absent        objects that must not be there, as KIND/NAME
error         what the error says, a part on each line

One in CUE holds several: fields of the same names, with debug, kubeVersion and
moduleVersion for settings. The expected object may be a constraint; a case may be
computed, and import what the module does.

  cases: zones: {
  	values: replicas: 3
  	want: [{kind: "Deployment", spec: replicas: >=3}]
  	absent: ["Job/app-test"]
  }

With --update the tests that fail take over what is rendered. The exit code is 1
when a test fails.`

// newTest returns the command test.
func newTest(env cli.Env) *cobra.Command {
	o := &testing{env: env, deps: option.CUERegistry{Process: env}}
	cmd := &cobra.Command{
		Use: "test [DIR]", Short: "Run the tests of a module", Long: testLong,
		Example: cli.Example(env, "test", "test ./module --run 'replicas|tls/'", "test --update", "test -o junit > report.xml"),
		Args:    cli.ArgsBetween(0, 1, "at most a DIR"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), cli.Operand(args, ".")) },
	}
	cmd.Flags().StringVar(&o.pattern, "run", "", "run only the tests whose name matches `REGEXP`")
	cmd.Flags().BoolVar(&o.req.Update, "update", false, "write what is rendered into the tests that fail")
	cli.AddOutput(cmd, &o.output, "json", "yaml", "junit")
	o.deps.AddTo(cmd.Flags())
	o.validation.AddSchemaTo(cmd.Flags())
	o.cache.AddTo(cmd.Flags())
	return cmd
}

type testing struct {
	env             cli.Env
	req             mod.TestRequest
	deps            option.CUERegistry
	validation      option.Validation
	cache           option.RenderCache
	pattern, output string
}

func (o *testing) run(ctx context.Context, dir string) error {
	if o.pattern != "" {
		var err error
		if o.req.Run, err = regexp.Compile(o.pattern); err != nil {
			return fail.Usagef("--run %q: %w", o.pattern, err)
		}
	}
	o.req.Dir, o.req.KubeVersion = dir, o.env.Getenv(option.KubeVersionVariable)
	o.req.Advise = option.AdviseValue
	o.req.CUERegistry, o.req.Cache = o.deps.Access(cli.UserAgent("mod")), o.cache.Cache(o.env)
	var err error
	if o.req.Schemas, err = o.validation.Schemas(ctx, cli.Until(ctx, o.env.Stdin), download.Options{UserAgent: cli.UserAgent("mod")}); err != nil {
		return err
	}
	start := time.Now()
	tests, err := mod.Test(ctx, o.req)
	if err != nil {
		return err
	}
	r := report{Tests: tests, Seconds: time.Since(start).Seconds()}
	if err = o.print(r.counted()); err != nil {
		return err
	}
	for _, t := range tests {
		if t.Status == mod.Failed {
			return fail.Silent(fail.No)
		}
	}
	return nil
}

// report is how all tests ended.
type report struct {
	Tests   []mod.Tested `json:"tests"`
	Passed  int          `json:"passed"`
	Updated int          `json:"updated"`
	Failed  int          `json:"failed"`
	Seconds float64      `json:"seconds"`
}

func (r report) counted() report {
	for _, t := range r.Tests {
		switch t.Status {
		case mod.Passed:
			r.Passed++
		case mod.Updated:
			r.Updated++
		case mod.Failed:
			r.Failed++
		}
	}
	return r
}

func (o *testing) print(r report) error {
	switch o.output {
	case "junit":
		return writeJUnit(o.env.Stdout, r)
	case "":
		err := ui.Print(o.env.Stdout, r.text())
		return err
	}
	return ui.Structured(o.env.Stdout, o.output, r)
}

// text returns a line for each test, the reasons of those that failed, and the
// counts.
func (r report) text() string {
	var b strings.Builder
	for _, t := range r.Tests {
		if t.Status != mod.Failed {
			fmt.Fprintf(&b, "%-7s %s\n", t.Status, t.Name)
			continue
		}
		fmt.Fprintf(&b, "FAILED  %s (%s)\n", t.Name, t.File)
		for _, reason := range t.Failures {
			b.WriteString("    " + strings.ReplaceAll(reason, "\n", "\n    ") + "\n")
		}
	}
	counts := []string{fmt.Sprintf("%d passed", r.Passed)}
	if r.Updated > 0 {
		counts = append(counts, fmt.Sprintf("%d updated", r.Updated))
	}
	if r.Failed > 0 {
		counts = append(counts, fmt.Sprintf("%d failed", r.Failed))
	}
	fmt.Fprintf(&b, "%s in %.2fs\n", strings.Join(counts, ", "), r.Seconds)
	return b.String()
}
