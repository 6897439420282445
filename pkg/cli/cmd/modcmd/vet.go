// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

const vetLong = `Build a module and print what is wrong with it.

MODULE is a directory, by default the current one, or oci://HOST/PATH[:VERSION].
It is built with its own values or, with --debug, with the build tag debug, which
selects debug_values.cue; values that are given go over these.
In addition to the rules of the module and of the API server, each container's image has
to have a tag or a digest, and cue.mod/module.cue a language version. Custom
resources are held to their CRDs, rules in CEL included, where the module renders
these or --crds names them. The packages in cue.mod are evaluated in whole; other
commands take of them what the module refers to.

The objects of a valid module are listed, and its images, with whether a digest is
pinned. The exit code is 1 when the module is not valid.`

// newVet returns the command vet.
func newVet(env cli.Env) *cobra.Command {
	o := &vetting{env: env}
	cmd := &cobra.Command{
		Use: "vet [MODULE]", Short: "Check that a module is valid", Long: vetLong,
		Example: cli.Example(env, "vet", "vet ./module --debug", "vet -f production.yaml --kube-version 1.34.0 --kube-version 1.36.0", "vet -o json"),
		Args:    cli.ArgsBetween(0, 1, "at most a MODULE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.name, "name", "app", "name of the instance to build")
	fs.StringVarP(&o.namespace, "namespace", "n", "default", "namespace of the instance to build")
	fs.BoolVar(&o.debug, "debug", false, "build with the debug values in place of the module's own")
	fs.StringArrayVar(&o.req.KubeVersions, "kube-version", nil, "`VERSION` of Kubernetes to build for; may be repeated")
	cli.AddOutput(cmd, &o.output)
	o.validation.AddFilesTo(fs)
	o.validation.AddSchemaTo(fs)
	o.module.Registry.Process = env
	o.module.AddTo(fs)
	return cmd
}

type vetting struct {
	env                     cli.Env
	req                     mod.VetRequest
	name, namespace, output string
	debug                   bool
	module                  option.Module
	validation              option.Validation
}

// request returns what the flags say of a module.
func (o *vetting) request(ctx context.Context, module string) (req mod.VetRequest, err error) {
	req = o.req
	if err = o.validation.Check(&o.module.Values); err != nil {
		return req, err
	}
	req.Request, err = o.module.Request(ctx, o.name, o.namespace, module, cli.Until(ctx, o.env.Stdin), cli.UserAgent("mod"))
	if err != nil {
		return req, err
	}
	req.Debug = o.debug
	req.KubeVersion = o.env.Getenv(option.KubeVersionVariable)
	return req, o.validation.Complete(ctx, &req.Request, cli.Until(ctx, o.env.Stdin), o.module.Values.Download(cli.UserAgent("mod")))
}

func (o *vetting) run(ctx context.Context, args []string) error {
	req, err := o.request(ctx, cli.Operand(args, "."))
	if err != nil {
		return err
	}
	vetted, err := mod.Vet(ctx, req)
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

func (o *vetting) print(v *mod.Vetted) error {
	if o.output != "" {
		return ui.Structured(o.env.Stdout, o.output, v)
	}
	for _, f := range v.Findings {
		if err := ui.Print(o.env.Stdout, describe(f)); err != nil {
			return err
		}
	}
	if !v.Valid {
		return nil
	}
	for _, object := range v.Rendered {
		if _, err := ui.Println(o.env.Stdout, object); err != nil {
			return err
		}
	}
	for _, image := range v.Images {
		text := "no digest"
		if mod.IsPinned(image) {
			text = "digest pinned"
		}
		if _, err := ui.Printf(o.env.Stdout, "%s (%s)\n", image, text); err != nil {
			return err
		}
	}
	_, err := ui.Printf(o.env.Stdout, "module %s is valid: built with %s, %d objects\n",
		v.Module, strings.Join(v.Builds, "; "), v.Objects)
	return err
}

// describe returns a finding as compilers print one, so that editors find the
// place: FILE:LINE:COLUMN: SEVERITY: MESSAGE, and the other places below.
func describe(f mod.Finding) string {
	var b strings.Builder
	if len(f.Positions) > 0 {
		b.WriteString(place(f.Positions[0]) + ": ")
	}
	b.WriteString(string(f.Severity) + ": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	if len(f.Builds) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(f.Builds, "; "))
	}
	b.WriteByte('\n')
	for _, p := range f.Positions[min(1, len(f.Positions)):] {
		b.WriteString("    " + place(p) + "\n")
	}
	if f.Rule != "" {
		b.WriteString("    the module says: " + f.Rule)
		if f.RulePosition != nil {
			b.WriteString("   (" + place(*f.RulePosition) + ")")
		}
		b.WriteByte('\n')
	}
	if f.Advice != "" {
		b.WriteString("    " + f.Advice + "\n")
	}
	return b.String()
}

func place(p mod.Position) string {
	if p.Column == 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}
