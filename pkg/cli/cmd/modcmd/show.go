// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

const showConfigLong = `Show the values that a module takes: their types, defaults and comments.

MODULE is a directory, by default the current one, or oci://HOST/PATH[:VERSION].
They are printed as CUE, as a table in Markdown, as a file of values in YAML with
comments, or as JSON Schema, with which editors complete and check files of
values. --readme writes the table into the
module's README.md, between <!-- timoni:config:begin --> and
<!-- timoni:config:end -->, or at its end.`

// newShow returns the command show.
func newShow(env cli.Env) *cobra.Command {
	return cli.Group("show", "Show the values, README, images and provenance of a module",
		newShowConfig(env), newShowReadme(env), newShowImages(env), newShowProvenance(env))
}

func newShowConfig(env cli.Env) *cobra.Command {
	o := &showing{env: env}
	deps := option.CUERegistry{Process: env}
	var readme bool
	var readmeFile, pkg string
	cmd := o.command("config [MODULE]", "Show the values that a module takes", func(ctx context.Context, m ref.Reference, options oci.Options) error {
		config, err := mod.ReadConfig(ctx, m, pkg, options, deps.Access(cli.UserAgent("mod")))
		if err != nil {
			return err
		}
		if readme || readmeFile != "" {
			return o.writeReadme(m, readmeFile, config)
		}
		return o.config(config)
	})
	cmd.Long = showConfigLong
	cmd.Example = cli.Example(env, "show config", "show config --readme", "show config oci://registry.example.com/modules/app -o json-schema")
	choice.Flag[string]{
		Name: "output", Short: "o", Usage: "output format", Default: "cue", Choices: choice.Of("cue", "markdown", "yaml", "json-schema"),
	}.AddTo(cmd.Flags(), &o.output)
	cmd.Flags().BoolVar(&readme, "readme", false, "write the table into the module's README.md")
	cmd.Flags().StringVar(&readmeFile, "readme-file", "", "write the table into this `FILE`, in place of one below the heading Configuration or at the end")
	cmd.Flags().StringVarP(&pkg, "package", "p", "main", "CUE `PACKAGE` of the module")
	deps.AddTo(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("output", "readme", "readme-file")
	return cmd
}

func newShowReadme(env cli.Env) *cobra.Command {
	o := &showing{env: env}
	cmd := o.command("readme [MODULE]", "Show the README of a module", func(ctx context.Context, m ref.Reference, options oci.Options) error {
		text, err := mod.Readme(ctx, m, options)
		if err != nil {
			return err
		}
		return ui.Print(env.Stdout, string(text))
	})
	cmd.Example = cli.Example(env, "show readme oci://registry.example.com/modules/app:1.0.0")
	return cmd
}

func newShowImages(env cli.Env) *cobra.Command {
	o := &showing{env: env}
	var given option.Values
	deps := option.CUERegistry{Process: env}
	cmd := o.command("images [MODULE]", "Show the container images of a module", func(ctx context.Context, m ref.Reference, options oci.Options) error {
		sources, err := given.Sources(ctx, cli.Until(ctx, env.Stdin), cli.UserAgent("mod"))
		if err != nil {
			return err
		}
		result, err := build.Render(ctx, build.Request{
			Module: m, OCI: options, Name: "app", Namespace: "default", Values: sources, Advise: option.AdviseValue,
			KubeVersion: env.Getenv(option.KubeVersionVariable), CUERegistry: deps.Access(cli.UserAgent("mod")),
		}, ui.Transfers(env.Stderr, false, false))
		if err != nil {
			return err
		}
		if o.output != "" {
			return ui.Structured(env.Stdout, o.output, append([]string{}, result.Images...))
		}
		for _, image := range result.Images {
			_, _ = ui.Println(env.Stdout, image)
		}
		return nil
	})
	cmd.Example = cli.Example(env, "show images", "show images -f production.yaml -o json")
	cli.AddOutput(cmd, &o.output)
	given.AddTo(cmd.Flags())
	deps.AddTo(cmd.Flags())
	return cmd
}

// showing is what the commands share.
type showing struct {
	env       cli.Env
	output    string
	selection option.Selection
	registry  option.Registry
}

// command returns a command on one module, by default the one in the current
// directory.
func (o *showing) command(use, short string, run func(context.Context, ref.Reference, oci.Options) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cli.ArgsBetween(0, 1, "at most a MODULE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := o.selection.Reference(cli.Operand(args, "."))
			if err != nil {
				return err
			}
			options, err := o.registry.Options(o.env.Stdin, cli.UserAgent("mod"))
			if err != nil {
				return err
			}
			return run(cmd.Context(), m, options)
		},
	}
	o.registry.Process = o.env
	o.selection.AddTo(cmd.Flags())
	o.registry.AddTo(cmd.Flags())
	return cmd
}

func (o *showing) config(c *mod.Config) error {
	var out []byte
	switch o.output {
	case "markdown":
		out = c.Markdown()
	case "yaml":
		out = c.YAML()
	case "json-schema":
		var err error
		if out, err = c.JSONSchema(); err != nil {
			return err
		}
	default:
		out = c.CUE()
	}
	return ui.Print(o.env.Stdout, string(out))
}

func (o *showing) writeReadme(m ref.Reference, file string, c *mod.Config) error {
	changed, err := mod.WriteReadme(m, file, c)
	if err != nil {
		return fail.Hint(err, "print the table with '%s show config -o markdown'", o.env.Program)
	}
	file = cmp.Or(file, "README.md")
	text := file + " has these values already"
	if changed {
		text = file + " written"
	}
	_, err = ui.Println(o.env.Stdout, text)
	return err
}
