// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

const initLong = `Write a new module that vets, renders and deploys.

NAME is lower case letters, digits and -, for the module timoni.sh/NAME, or a
whole CUE module path such as example.com/app. The module goes into a directory of
that name, without what is before the last /: in the current directory, or in DIR,
unless DIR has the name already. Nothing is overwritten: where one of the files
exists, none is written.

The module comes with a README, tests and the schemas it needs, from this binary:
no network is used. With --minimal it is a ConfigMap and no more. --blueprint
takes another module to start from, whose module path and imports are renamed.`

// newInit returns the command init.
func newInit(env cli.Env) *cobra.Command {
	o := &initializing{env: env}
	cmd := &cobra.Command{
		Use: "init NAME [DIR]", Short: "Write a new module", Long: initLong,
		Example: cli.Example(env, "init app", "init app ./modules --minimal",
			"init example.com/app --blueprint oci://registry.example.com/blueprints/web:1.0.0"),
		Args: cli.ArgsBetween(1, 2, "NAME and at most a DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	cmd.Flags().BoolVar(&o.req.Minimal, "minimal", false, "write the smallest module")
	cmd.Flags().StringVarP(&o.blueprint, "blueprint", "b", "", "`MODULE` to start from: a directory or oci://HOST/PATH[:VERSION]")
	o.registry.Process = env
	o.registry.AddTo(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("minimal", "blueprint")
	return cmd
}

// directoryFor returns the directory of a module that is to be made in dir: the
// one of its name, which dir itself may be.
func directoryFor(dir, name string) string {
	if filepath.Base(filepath.Clean(dir)) == name {
		return dir
	}
	return filepath.Join(dir, name)
}

type initializing struct {
	env       cli.Env
	req       mod.InitRequest
	blueprint string
	registry  option.Registry
}

func (o *initializing) run(ctx context.Context, args []string) error {
	o.req.Name, o.req.Dir = args[0], path.Base(args[0])
	if len(args) == 2 {
		o.req.Dir = directoryFor(args[1], o.req.Dir)
	}
	if o.blueprint != "" {
		var err error
		if o.req.Blueprint, err = ref.Parse(o.blueprint); err != nil {
			return err
		}
		if o.req.OCI, err = o.registry.Options(o.env.Stdin, cli.UserAgent("mod")); err != nil {
			return err
		}
	}
	o.req.Observer = ui.Transfers(o.env.Stderr, false, false)
	created, err := mod.Init(ctx, o.req)
	if err != nil {
		return fmt.Errorf("init %s: %w", o.req.Name, err)
	}
	_, err = ui.Printf(o.env.Stdout, "module %s written to %s, %d files\n", created.Path, filepath.Clean(o.req.Dir), len(created.Files))
	return err
}
