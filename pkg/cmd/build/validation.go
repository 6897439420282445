// SPDX-License-Identifier: Apache-2.0

package build

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// validation are the flags for checks that need no cluster.
type validation struct {
	mode    string
	files   []string
	private bool
}

func (v *validation) addTo(fs *pflag.FlagSet) {
	fs.StringVar(&v.mode, "validate", string(render.ValidateStrict),
		"what becomes of custom resources that are not as their CRDs describe them: strict (an error), warn or off")
	fs.StringArrayVar(&v.files, "crds", nil,
		"`FILE` with CustomResourceDefinitions to validate by beside those of the module, directory or https URL; may be repeated")
	fs.BoolVar(&v.private, "allow-private-address", false, "allow a URL to lead to this machine or into a private network")
}

// check returns a usage error unless the mode is one.
func (v *validation) check() error {
	switch render.Validation(v.mode) {
	case render.ValidateStrict, render.ValidateWarn, render.ValidateOff:
		return nil
	}
	return fail.Usagef("--validate=%s is none of strict, warn and off", v.mode)
}

// apply reads what the flags name into the request.
func (v *validation) apply(ctx context.Context, env cli.Env, req *render.Request) error {
	req.Validate = render.Validation(v.mode)
	if req.Validate == render.ValidateOff {
		return nil
	}
	definitions, err := crd.Read(ctx, crd.Files{
		Names: v.files, Stdin: env.Stdin,
		Download: download.Options{AllowPrivate: v.private, UserAgent: cli.UserAgent("build")},
	})
	req.CRDs = definitions
	return err
}

// explain adds what can be done about custom resources that are not valid.
func (v *validation) explain(err error) error {
	if _, ok := errors.AsType[*render.StructureError](err); ok {
		return fail.Hint(err, "give --validate=warn to render all the same")
	}
	return err
}
