// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// packing are the flags of the commands that pack a module.
type packing struct {
	version                  string
	annotations              registryflag.Annotations
	resolveSymlinks, skipVet bool
	values                   option.Values // to vet with
	debug                    bool
}

func (p *packing) addTo(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&p.version, "version", "v", "", "`VERSION` of the module, such as 1.2.3")
	fs.BoolVar(&p.resolveSymlinks, "resolve-symlinks", false, "pack what symbolic links point to, in their place")
	fs.BoolVar(&p.skipVet, "skip-vet", false, "pack a module that may not be valid")
	p.annotations.AddTo(fs)
	p.values.AddTo(fs)
	fs.BoolVar(&p.debug, "debug", false, "vet the module with its debug values")
}

// request returns what to pack and how it is vetted. An archive was vetted when it
// was made.
func (p *packing) request(ctx context.Context, env cli.Env, source string) (artifact.ModuleRequest, error) {
	annotations, err := p.annotations.Map()
	req := artifact.ModuleRequest{
		Source: source, Version: p.version, ResolveSymlinks: p.resolveSymlinks,
		Observer: ui.Transfers(env.Stderr, true, false),
		Metadata: artifact.Metadata{Annotations: annotations, SourceDateEpoch: env.Getenv("SOURCE_DATE_EPOCH")},
	}
	if err != nil || archive.IsArchive(source) {
		return req, err
	}
	r, err := ref.Parse(source)
	if err == nil && !r.IsLocal() {
		err = fail.Usagef("%q is not a directory or an archive to pack", source)
	}
	if err != nil {
		return req, err
	}
	if !p.skipVet {
		sources, wrong := p.values.Sources(ctx, cli.Until(ctx, env.Stdin), cli.UserAgent("mod"))
		if wrong != nil {
			return req, wrong
		}
		req.Vet = func(ctx context.Context) error { return p.vet(ctx, env, r, sources) }
	}
	req.Images, err = render.ImagesFile(source)
	return req, err
}

// vet prints what is wrong with a module, and fails when that makes it invalid.
func (p *packing) vet(ctx context.Context, env cli.Env, r ref.Reference, sources []values.Source) error {
	vetted, err := mod.Vet(ctx, mod.VetRequest{Request: build.Request{
		Module: r, Name: "app", Namespace: "default", Package: render.DefaultPackage, Values: sources, Advise: option.AdviseValue, Debug: p.debug,
		KubeVersion: env.Getenv(option.KubeVersionVariable),
	}})
	if err != nil {
		return err
	}
	for _, f := range vetted.Findings {
		if err = ui.Print(env.Stderr, describe(f)); err != nil {
			return err
		}
	}
	if vetted.Valid {
		return nil
	}
	return fail.Hint(fmt.Errorf("module %s is not valid", r.Dir), "see '%s vet %s', or pack it with --skip-vet", env.Program, r.Dir)
}
