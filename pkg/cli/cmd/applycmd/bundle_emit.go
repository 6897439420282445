// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"path"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// handover are the flags that say which tool applies what is built, and where it
// goes for it.
type handover struct {
	tool, source, path, push string
	secrets                  option.Secrets
}

// The values of --emit.
const (
	emitArgoCD = "argocd"
	emitFlux   = "flux"
)

func (h *handover) addTo(fs *pflag.FlagSet) {
	choice.Flag[string]{
		Name: "emit", Usage: "write what `TOOL` needs to keep the order of the stages", Choices: choice.Of(emitArgoCD, emitFlux),
	}.AddTo(fs, &h.tool)
	fs.StringVar(&h.source, "emit-source", "", "with --emit=flux, the `SOURCE` of a cluster's directory as KIND/NAME[.NAMESPACE]; by default OCIRepository/, the name of the bundle and .flux-system")
	fs.StringVar(&h.path, "emit-path", "", "with --emit=flux, the `PATH` of a cluster's directory in the source; by default its root")
	fs.StringVar(&h.push, "push", "", "push the objects as an artifact that Flux and Argo CD pull, to `oci://HOST/PATH[:TAG]`, with several clusters to one below it for each")
	h.secrets.AddTo(fs)
}

func (h *handover) check(o *bundleBuild) error {
	if h.tool != emitFlux && h.source+h.path != "" {
		return fail.Usagef("--emit-source and --emit-path are about --emit=flux")
	}
	if h.tool == emitFlux && o.dir == "" {
		return fail.Usagef("--emit=flux writes directories: give --output-dir DIR")
	}
	if h.push != "" && (o.dir != "" || o.maskSecrets || o.output != "yaml") {
		return fail.Usagef("--push pushes the objects as they are: leave out what says how to print them")
	}
	if _, err := h.target(""); h.push != "" && err != nil {
		return err
	}
	return h.secrets.Check(o.maskSecrets, h.tool == emitFlux)
}

// settle deals with the Secrets of an instance, which is written to a directory or
// pushed with the others.
func (o *bundleBuild) settle(ctx context.Context, in fleet.Instance, dir string, observer event.Observer) error {
	place := o.handover.push
	if place == "" && o.handover.tool != "" && !o.maskSecrets {
		place = "what is written"
	}
	placed := build.In(dir)
	if o.handover.tool == emitFlux {
		placed = build.InStages(dir)
	}
	return o.handover.secrets.Settle(ctx, in.Result, placed, place, observer)
}

// target returns where the objects of a cluster are pushed to.
func (h *handover) target(cluster string) (ref.Reference, error) {
	r, err := ref.Parse(h.push)
	if err == nil && (r.IsLocal() || r.Digest != "") {
		return ref.Reference{}, fail.Usagef("--push %s: not of the form oci://HOST/PATH[:TAG]", h.push)
	}
	if err != nil || cluster == "" {
		return r, err
	}
	below, err := ref.Parse(r.Source() + "/" + cluster)
	if err != nil {
		return below, err
	}
	return below.Select(r.Tag, "")
}

// pushObjects pushes the objects of a cluster.
func (o *bundleBuild) pushObjects(ctx context.Context, site fleet.Site, options oci.Options, objects []api.Object) error {
	target, err := o.handover.target(site.Name)
	if err != nil {
		return err
	}
	pushed, err := artifact.PushObjects(ctx, target, api.YAML(objects), o.env.Getenv("SOURCE_DATE_EPOCH"), options)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, "", pushed)
}

// writeFlux writes the directory of an instance, whose first stage comes after
// those that it depends on.
func (o *bundleBuild) writeFlux(req build.DirectoryRequest, bundle string, all []fleet.Instance, i int, observer event.Observer) (build.Written, error) {
	source, err := build.ParseFluxSource(o.handover.sourceOf(bundle))
	if err != nil {
		return build.Written{}, err
	}
	in := all[i]
	source.Keys = o.handover.secrets.Keys
	source.Path = path.Join(filepath.ToSlash(o.handover.path), in.Name)
	for _, k := range in.Before {
		before := all[k]
		if name := before.Result.LastKustomization(before.Name); name != "" {
			source.After = append(source.After, before.Namespace+"/"+name)
		}
	}
	return in.Result.WriteFlux(req, source, observer)
}

func (h *handover) sourceOf(bundle string) string {
	if h.source != "" {
		return h.source
	}
	return "OCIRepository/" + bundle + ".flux-system"
}
