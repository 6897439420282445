// SPDX-License-Identifier: Apache-2.0

package buildcmd

import (
	"cmp"
	"context"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
)

// emit are the flags that say which tool applies what is built.
type emit struct {
	target, source, path string
	secrets              option.Secrets
}

// The values of --emit.
const (
	emitArgoCD = "argocd"
	emitHealth = "argocd-health"
	emitFlux   = "flux"
)

func (e *emit) addTo(fs *pflag.FlagSet) {
	choice.Flag[string]{
		Name: "emit", Usage: "write what `TOOL` needs to keep the order of the stages", Choices: choice.Of(emitArgoCD, emitHealth, emitFlux),
	}.AddTo(fs, &e.target)
	fs.StringVar(&e.source, "emit-source", "", "with --emit=flux, the `SOURCE` of the directory as KIND/NAME[.NAMESPACE]; by default OCIRepository/ and the name of the instance")
	fs.StringVar(&e.path, "emit-path", "", "with --emit=flux, the `PATH` of the directory in the source; by default its root")
	e.secrets.AddTo(fs)
}

// whole says whether something else than a list of objects is written.
func (e *emit) whole() bool { return e.target == emitHealth || e.target == emitFlux }

func (e *emit) check(p *printing) error {
	if e.target != emitFlux && (e.source != "" || e.path != "") {
		return fail.Usagef("--emit-source and --emit-path are about --emit=flux")
	}
	if err := e.secrets.Check(p.maskSecrets, e.target == emitFlux); err != nil {
		return err
	}
	switch e.target {
	case emitHealth:
		if p.dir != "" || p.showOrigin {
			return fail.Usagef("--emit=argocd-health prints one ConfigMap: leave out --output-dir and --show-origin")
		}
		return nil
	case emitFlux:
		if p.dir == "" || p.showOrigin {
			return fail.Usagef("--emit=flux writes directories: give --output-dir DIR, without --show-origin")
		}
		_, err := e.fluxSource("name")
		return err
	}
	return nil
}

// fluxSource returns the source of an instance's directory.
func (e *emit) fluxSource(name string) (build.FluxSource, error) {
	source, err := build.ParseFluxSource(cmp.Or(e.source, "OCIRepository/"+name))
	source.Path, source.Keys = e.path, e.secrets.Keys
	return source, err
}

// settle deals with the Secrets before anything is written.
func (o *options) settle(ctx context.Context, result *build.Result) error {
	place := o.push
	if place == "" && o.printing.emit.target != "" && !o.printing.maskSecrets {
		place = "what is written"
	}
	placed := build.In(o.printing.dir)
	if o.printing.emit.target == emitFlux {
		placed = build.InStages(o.printing.dir)
	}
	return o.printing.emit.secrets.Settle(ctx, result, placed, place, ui.NewText(o.env.Stderr))
}

func (o *options) writeFlux(name string, result *build.Result) error {
	source, err := o.printing.emit.fluxSource(name)
	if err != nil {
		return err
	}
	if o.printing.maskSecrets {
		for _, set := range result.Sets {
			for i := range set.Objects {
				set.Objects[i] = delta.Hidden(set.Objects[i])
			}
		}
	}
	written, err := result.WriteFlux(build.DirectoryRequest{
		Dir: o.printing.dir, Name: name, Namespace: o.namespace, Complete: true, Overwrite: o.printing.overwrite,
	}, source, ui.NewText(o.env.Stderr))
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, "", written)
}
