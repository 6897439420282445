// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/develop"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

const devLong = `Build a module, vet it and run its tests, and do so again each time that one of
its files or of the files of -f changes, until Ctrl-C.

DIR is the module, by default the current directory. Printed are what is wrong
with it, the tests that fail, and how the objects differ from those of the last
round that was good: valid, with no test that fails.

With --apply NAME, what a good round has changed is applied to the cluster as
this instance, by 'kubectl timoni apply'; a change of the files interrupts an
apply that still waits. With -o json a round is one line.`

// newDev returns the command dev.
func newDev(env cli.Env) *cobra.Command {
	o := &developing{vetting: vetting{env: env}}
	cmd := &cobra.Command{
		Use: "dev [DIR]", Short: "Build, vet and test a module whenever it changes", Long: devLong,
		Example: cli.Example(env, "dev", "dev ./module -f values.yaml", "dev ./module --apply app -n apps"),
		Args:    cli.ArgsBetween(0, 1, "at most a DIR"), ValidArgsFunction: complete.Operands(complete.Directories),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.develop(cmd.Context(), cli.Operand(args, "."))
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.instance, "apply", "", "apply what is good to the cluster, as the instance `NAME`")
	fs.StringVarP(&o.namespace, "namespace", "n", "", "namespace of the instance")
	fs.StringVar(&o.cluster.kubeconfig, "kubeconfig", "", "`FILE` that --apply takes the cluster from")
	fs.StringVar(&o.cluster.context, "context", "", "`NAME` of the kubeconfig context that --apply uses")
	cli.AddOutput(cmd, &o.output, "json", "text")
	o.validation.AddFilesTo(fs)
	o.validation.AddSchemaTo(fs)
	o.module.Registry.Process = env
	o.module.AddTo(fs)
	return cmd
}

type developing struct {
	vetting
	instance string
	cluster  clusterFlags
	child    string // the path of the binary that applies
	dir      string
	applied  bool // what was good last
}

// applyVerb is the binary that applies, as 'kubectl timoni apply' starts it.
const applyVerb = "kubectl-timoni-apply"

func (o *developing) develop(ctx context.Context, dir string) error {
	files, repeatable := o.module.Values.Watched()
	switch {
	case !repeatable || o.module.Registry.ReadsStdin():
		return fail.Usagef("the standard input can be read once, and a module is built again and again")
	case o.instance == "" && o.cluster != clusterFlags{}:
		return fail.Usagef("--kubeconfig and --context are about the cluster of --apply, which is not given")
	}
	o.name, o.dir = cmp.Or(o.instance, "app"), dir
	if o.instance != "" {
		var err error
		if o.child, err = o.env.Places().Find(applyVerb); err != nil {
			return err
		}
	}
	given := o.namespace
	o.namespace = cmp.Or(o.namespace, "default")
	test := mod.TestRequest{Dir: dir, KubeVersion: o.env.Getenv(option.KubeVersionVariable), Advise: option.AdviseValue}
	err := develop.Run(ctx, develop.Request{
		Dir: dir, Files: files, Test: test,
		Vet:  func(ctx context.Context) (mod.VetRequest, error) { return o.request(ctx, dir) },
		Done: func(during context.Context, r develop.Round) error { return o.done(ctx, during, r, given) },
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the way to end it
	}
	return err
}

// done prints a round, and applies what is good and was not applied yet. during ends when
// the files change.
func (o *developing) done(ctx, during context.Context, r develop.Round, namespace string) error {
	line := devLine{Round: r}
	if o.output == "json" {
		defer func() { _ = json.NewEncoder(o.env.Stdout).Encode(line) }()
	} else if err := o.printRound(r); err != nil {
		return err
	}
	o.applied = o.applied && len(r.Changes) == 0
	if !r.Good || o.instance == "" || o.applied {
		return nil
	}
	args := append([]string{o.instance, o.dir}, o.module.Child()...)
	for _, f := range [][2]string{{"namespace", namespace}, {"kubeconfig", o.cluster.kubeconfig}, {"context", o.cluster.context}} {
		if f[1] != "" {
			args = append(args, "--"+f[0]+"="+f[1])
		}
	}
	to := o.env.Stdout
	if o.output == "json" {
		to = o.env.Stderr
	}
	code, err := develop.Apply(ctx, during, develop.Child{Path: o.child, Args: args, Environ: o.env.Environ(), Stdout: to, Stderr: o.env.Stderr})
	line.Apply = &applyResult{ExitCode: code}
	o.applied = code == 0
	return err
}

// devLine is a round as a program reads it.
type devLine struct {
	develop.Round
	Apply *applyResult `json:"apply,omitempty"`
}

// applyResult is how 'apply' ended.
type applyResult struct {
	ExitCode int `json:"exitCode"`
}

func (o *developing) printRound(r develop.Round) error {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(describe(f))
	}
	failed := 0
	for _, t := range r.Tests {
		if t.Status == mod.Failed {
			failed++
			fmt.Fprintf(&b, "FAILED  %s (%s)\n", t.Name, t.File)
			for _, reason := range t.Failures {
				b.WriteString("    " + strings.ReplaceAll(reason, "\n", "\n    ") + "\n")
			}
		}
	}
	if err := ui.Print(o.env.Stdout, b.String()); err != nil {
		return err
	}
	for _, c := range r.Changes {
		if err := ui.Diff(o.env.Stdout, c.Diff, ui.Colours(o.env.Stdout, o.env.Getenv("NO_COLOR"))); err != nil {
			return err
		}
	}
	return printVerdict(o.env.Stdout, r, failed)
}

// printVerdict prints the last line of a round.
func printVerdict(w io.Writer, r develop.Round, failed int) error {
	verdict := fmt.Sprintf("%s, %s passed", ui.Count(r.Objects, "object"), ui.Count(len(r.Tests)-failed, "test"))
	switch {
	case r.Good && len(r.Changes) == 0:
		verdict += ", no object changed"
	case failed > 0:
		verdict += fmt.Sprintf(", %d failed: the objects before are kept", failed)
	case !r.Good:
		verdict = "not valid: the objects before are kept"
	}
	_, err := ui.Printf(w, "round %d: %s (%.2fs)\n", r.Number, verdict, r.Seconds)
	return err
}
