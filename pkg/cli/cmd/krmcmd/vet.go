// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

const vetLong = `Check objects by policies, without kustomize and without a cluster.

OBJECTS are files, directories with all below them, or - for the standard input
(the default). What is for a tool is not checked: function configs,
kustomizations, objects marked config.kubernetes.io/local-config.

A policy is a file with a Vet, as in a kustomization, a file in CUE, or an
artifact with such files: oci://HOST/PATH:VERSION. The last two say with
--definition what the objects are checked by. --kube-version checks objects of
Kubernetes' own kinds as the API server of that version would.

Findings are printed to standard output. The exit code is 1 when one of them is
an error; warnings and notes change nothing.`

type vetting struct {
	env    cli.Env
	req    function.VetRequest
	output string
	quiet  bool
}

func newVet(env cli.Env) *cobra.Command {
	o := &vetting{env: env}
	cmd := &cobra.Command{
		Use: "vet -f POLICY [OBJECTS]...", Short: "Check objects by policies in CUE", Long: vetLong,
		Example: cli.Example(env, "vet -f policy.yaml k8s", "build web ./app | kubectl timoni vet -f policy.yaml -",
			"vet -f oci://registry.example.com/policies:1.0.0 --definition '#Restricted' k8s", "vet --kube-version 1.36.0 k8s -o json"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	fs := cmd.Flags()
	fs.StringArrayVarP(&o.req.Policies, "filename", "f", nil, "`POLICY`: a file with a Vet or in CUE, or oci://HOST/PATH:VERSION; may be repeated")
	fs.StringArrayVar(&o.req.Definitions, "definition", nil, "`PATH` of what a policy in CUE checks objects by, such as #Restricted; may be repeated")
	fs.StringVar(&o.req.Builtin, "kube-version", "", "check objects of Kubernetes' own kinds as the API server of this `VERSION` would")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print errors only")
	cli.AddOutput(cmd, &o.output)
	return cmd
}

func (o *vetting) run(ctx context.Context, args []string) error {
	if len(o.req.Policies) == 0 && o.req.Builtin == "" {
		return fail.Usagef("no policy: want -f POLICY or --kube-version VERSION")
	}
	if o.req.Objects = args; len(args) == 0 {
		if isTerminal(o.env.Stdin) {
			return fail.Usagef("no objects: want files, directories or -")
		}
		o.req.Objects = []string{"-"}
	}
	var err error
	if o.req.Request, err = newRequest(o.env); err != nil {
		return err
	}
	o.req.Input = cli.Until(ctx, o.env.Stdin)
	if o.req.Limits, err = option.LimitsOf(o.env.Getenv); err != nil {
		return err
	}
	vetted, err := function.Vet(ctx, o.req, ui.Observer(o.env.Stderr, true))
	if err != nil {
		return err
	}
	if err = o.print(vetted); err != nil {
		return err
	}
	if !vetted.Valid {
		return fail.Silent(fail.No)
	}
	return nil
}

func (o *vetting) print(v *function.Vetted) error {
	if o.output != "" {
		return ui.Structured(o.env.Stdout, o.output, v)
	}
	counts := map[krm.Severity]int{}
	for _, f := range v.Findings {
		counts[f.Severity]++
		if o.quiet && f.Severity != krm.Error {
			continue
		}
		if _, err := ui.Printf(o.env.Stdout, "%s: %s\n", severity(f.Severity), f.Message); err != nil {
			return err
		}
	}
	if o.quiet {
		return nil
	}
	_, err := ui.Printf(o.env.Stdout, "objects: %d, errors: %d, warnings: %d, notes: %d\n",
		v.Objects, counts[krm.Error], counts[krm.Warning], counts[krm.Info])
	return err
}

// severity returns the word with which a line begins, as those of the function
// do.
func severity(s krm.Severity) string {
	if s == krm.Info {
		return "note"
	}
	return string(s)
}
