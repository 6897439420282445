// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// kustomization are the flags that name a kustomization in place of a module.
type kustomization struct {
	dir        string
	enableExec bool
}

func (k *kustomization) addTo(fs *pflag.FlagSet) {
	fs.StringVarP(&k.dir, "kustomize", "k", "", "the kustomization in `DIR`, in place of a MODULE")
	fs.BoolVar(&k.enableExec, "enable-exec", false, "run the functions and plugins of others in the kustomization of -k too")
}

// args wants one thing to render: a MODULE after the NAME, or -k without the
// flags that are about a module.
func (o *options) args(cmd *cobra.Command, args []string) error {
	if o.kustomization.dir == "" {
		if o.kustomization.enableExec {
			return fail.Usagef("--enable-exec is about the kustomization of -k, which is not given")
		}
		return cli.Args(2, "NAME and MODULE, or NAME and -k DIR")(cmd, args)
	}
	if len(args) == 2 {
		return fail.Usagef("-k %s: it is rendered in place of a module, leave out %q or -k", o.kustomization.dir, args[1])
	}
	if flags := given(o.rendering); flags != nil {
		return fail.Hint(fail.Usagef("-k %s: a kustomization takes no %s", o.kustomization.dir, strings.Join(flags, ", ")),
			"values and modules stand in the function configs of the kustomization")
	}
	return cli.Args(1, "NAME with -k")(cmd, args)
}

// kustomize sets in a request the kustomization to render.
func (o *options) kustomize(req *deploy.ApplyRequest, name, namespace string) error {
	if err := option.CheckName(name); err != nil {
		return err
	}
	if err := option.CheckNamespace(namespace); err != nil {
		return err
	}
	program, err := o.env.Places().Find(plugins.Function)
	if err != nil {
		return err
	}
	req.Name, req.Namespace = name, namespace
	req.Kustomization = &deploy.Kustomization{
		Dir: o.kustomization.dir, Program: program, Namespace: namespace, EnableExec: o.kustomization.enableExec, Environ: o.env.Environ(),
	}
	return nil
}
