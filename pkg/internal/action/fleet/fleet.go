// SPDX-License-Identifier: Apache-2.0

// Package fleet holds the verbs on bundles: many instances, on one cluster or on
// several. Each instance goes through the functions of the verbs on one.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Site is a cluster that a bundle goes to.
type Site struct {
	bundle.Cluster              // empty for the one of the kubeconfig's context
	Client         *kube.Client // nil: none is asked
	Alone          bool         // no other one is worked on at the same time
	// Connect connects to the cluster where Client is nil, and something in it is
	// asked for after all.
	Connect func() (*kube.Client, error)
}

func (s Site) client() (*kube.Client, error) {
	if s.Client != nil || s.Connect == nil {
		return s.Client, nil
	}
	return s.Connect()
}

// Wrap says in an error on which cluster it came up, if they have names.
func (s Site) Wrap(err error) error {
	if err == nil || s.Name == "" {
		return err
	}
	return fmt.Errorf("cluster %q: %w", s.Name, err)
}

// Request says which bundle is meant.
type Request struct {
	Files      []cuefile.File
	Env        bundle.Runtime     // values from outside the cluster
	Definition *bundle.Definition // nil: no value is read from the cluster
	Select     []string           // names of instances; none: all
	Render     build.Request      // what the instances have in common
	Decrypt    sops.Decrypter     // of files that SOPS encrypted, nil to refuse them

	namesOnly bool // the values of the instances are not read
}

// Bundle is a bundle as one cluster gets it.
type Bundle struct {
	*bundle.Bundle
	Selected []bundle.Instance
	Requests []build.Request // of the selected instances

	secrets bundle.Runtime      // what was read from Secrets
	secret  func(string) string // hides it
	all     bundle.Runtime      // whose values no error shows
}

// Load reads the values of the runtime from the cluster, and the bundle with
// them.
func Load(ctx context.Context, site Site, req Request) (*Bundle, error) {
	b, err := load(ctx, site, req)
	return b, site.Wrap(err)
}

func load(ctx context.Context, site Site, req Request) (*Bundle, error) {
	read, err := req.values(ctx, site)
	if err != nil {
		return nil, err
	}
	b, err := req.load(ctx, read.All)
	if err != nil {
		return nil, err
	}
	b.secrets, b.secret = read.Secret, hider(read.Secret, b.Hidden)
	isRead := func(name string) bool {
		return name != bundle.ClusterName && name != bundle.ClusterGroup && read.All[name] != ""
	}
	isStream := func(f cuefile.File) bool { return !f.Stored }
	if len(b.Hidden) > 0 || slices.ContainsFunc(req.Files, isStream) || slices.ContainsFunc(b.Asked, isRead) {
		b.keepNothing()
	}
	if !req.namesOnly {
		err = b.Hide(b.readValues(ctx, site, req.Decrypt))
	}
	return b, err
}

// keepNothing has no result kept in the cache: the values may hold what was read
// from the cluster, encrypted files, streams or the environment.
func (b *Bundle) keepNothing() {
	for i := range b.Requests {
		b.Requests[i].Cache = nil
	}
}

// hider returns the function that puts names in the place of values, *** in that
// of texts, and leaves the quotes around them.
func hider(secret bundle.Runtime, texts []string) func(string) string {
	names := map[string]string{}
	for _, text := range texts {
		names[text] = mask.Hidden
	}
	for name, value := range secret {
		if value != "" {
			names[value] = "<" + name + ">"
		}
	}
	return mask.Values(names)
}

func (req Request) values(ctx context.Context, site Site) (Values, error) {
	v := Values{All: maps.Clone(req.Env), Secret: bundle.Runtime{}}
	if req.Definition == nil {
		return v, nil
	}
	read, err := ReadValues(ctx, site, *req.Definition)
	if err != nil {
		return v, err
	}
	if v.All == nil {
		v.All = bundle.Runtime{}
	}
	maps.Copy(v.All, read.All)
	v.Secret = read.Secret
	return v, nil
}

func (req Request) load(ctx context.Context, runtime bundle.Runtime) (*Bundle, error) {
	read, err := render.Bounded(ctx, req.Render.Limits, "read", "the bundle", func() (*bundle.Bundle, error) {
		return bundle.Read(bundle.Request{Files: req.Files, Runtime: runtime})
	})
	if err != nil {
		return nil, err
	}
	b := &Bundle{Bundle: read, all: read.Used}
	if b.Selected, err = read.Select(req.Select); err != nil {
		return nil, fail.With(fail.Usage, read.Used.Hide(err))
	}
	for _, in := range b.Selected {
		one := req.Render
		one.Module, one.Name, one.Namespace, one.Values = in.Module, in.Name, in.Namespace, in.Values
		b.Requests = append(b.Requests, one)
	}
	return b, nil
}

// Hide returns an error without any value of the runtime and of encrypted files.
// Every error about a bundle that was read goes through it.
func (b *Bundle) Hide(err error) error { return values.HideIn(b.secret)(b.all.Hide(err)) }

// MaskText returns a text without what was read from Secrets of the cluster.
func (b *Bundle) MaskText(text string) string { return b.secret(text) }

// Mask takes from objects what is secret: the data of Secrets, and what was
// read from Secrets of the cluster wherever it is.
func (b *Bundle) Mask(objects []api.Object) {
	for i, o := range objects {
		objects[i] = mask.Object(delta.Hidden(o), b.secret)
	}
}

// render renders all selected instances. The error joins those of all.
func (b *Bundle) render(ctx context.Context, observer event.Observer) ([]*build.Result, error) {
	outcomes, err := build.RenderAll(ctx, b.Requests, event.Hiding(observer, b.secret))
	if err != nil {
		return nil, err
	}
	results := make([]*build.Result, len(outcomes))
	var errs []error
	for i, o := range outcomes {
		if errors.Is(o.Err, render.ErrStopped) {
			continue
		}
		results[i] = o.Result
		errs = append(errs, o.Err)
	}
	return results, b.Hide(errors.Join(append(errs, checkShared(b.Selected, results))...))
}

// Instance is a rendered instance of a bundle.
type Instance struct {
	bundle.Instance
	Result *build.Result // nil when it could not be rendered
	Before []int         // the indices of those that are ready before it
}

// Build renders the instances. The error joins those of all.
func Build(ctx context.Context, b *Bundle, observer event.Observer) ([]Instance, error) {
	results, err := b.render(ctx, observer)
	if results == nil {
		return nil, err
	}
	instances, before := make([]Instance, len(results)), b.Before(b.Selected)
	for i, r := range results {
		instances[i] = Instance{b.Selected[i], r, before[i]}
	}
	return instances, err
}
