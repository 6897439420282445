// SPDX-License-Identifier: Apache-2.0

// Package fleet holds the verbs on bundles: many instances, on one cluster or on
// several. Each instance goes through the functions of the verbs on one.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// Site is a cluster that a bundle goes to.
type Site struct {
	bundle.Cluster              // empty for the one of the kubeconfig's context
	Client         *kube.Client // nil: none is asked
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
	values, err := req.values(ctx, site)
	if err != nil {
		return nil, site.Wrap(err)
	}
	b, err := req.load(ctx, values.All)
	if err != nil {
		return nil, site.Wrap(err)
	}
	b.secrets, b.secret = values.Secret, hider(values.Secret)
	return b, nil
}

// hider returns the function that puts names in the place of values, and leaves
// the quotes around them.
func hider(secret bundle.Runtime) func(string) string {
	names := map[string]string{}
	for name, value := range secret {
		if value != "" {
			names[value] = "<" + name + ">"
		}
	}
	return mask.Values(names)
}

func (req Request) values(ctx context.Context, site Site) (Values, error) {
	values := Values{All: maps.Clone(req.Env), Secret: bundle.Runtime{}}
	if req.Definition == nil {
		return values, nil
	}
	read, err := ReadValues(ctx, site, *req.Definition)
	if err != nil {
		return values, err
	}
	if values.All == nil {
		values.All = bundle.Runtime{}
	}
	maps.Copy(values.All, read.All)
	values.Secret = read.Secret
	return values, nil
}

func (req Request) load(ctx context.Context, runtime bundle.Runtime) (*Bundle, error) {
	read, err := render.Bounded(ctx, req.Render.Limits, "read the bundle", func() (*bundle.Bundle, error) {
		return bundle.Read(bundle.Request{Files: req.Files, Runtime: runtime})
	})
	if err != nil {
		return nil, err
	}
	b := &Bundle{Bundle: read, all: read.Used}
	if b.Selected, err = read.Select(req.Select); err != nil {
		return nil, fail.With(fail.Usage, err)
	}
	for _, in := range b.Selected {
		one := req.Render
		one.Module, one.Name, one.Namespace, one.Values = in.Module, in.Name, in.Namespace, in.Values
		b.Requests = append(b.Requests, one)
	}
	return b, nil
}

// MaskText returns a text without what was read from Secrets of the cluster.
func (b *Bundle) MaskText(text string) string { return b.secret(text) }

// Mask takes from objects what is secret: the data of Secrets, and what was
// read from Secrets of the cluster wherever it is.
func (b *Bundle) Mask(objects []api.Object) {
	for i, o := range objects {
		objects[i] = masked(delta.Hidden(o), b.secret)
	}
}

// maskDifference returns a difference without what was read from Secrets.
func (b *Bundle) maskDifference(d instance.Difference) instance.Difference {
	d.Before, d.After, d.Reason = masked(d.Before, b.secret), masked(d.After, b.secret), b.secret(d.Reason)
	for i, c := range d.Changes {
		d.Changes[i].Old, d.Changes[i].New = maskValue(c.Old, b.secret), maskValue(c.New, b.secret)
	}
	return d
}

// masked returns an object with every text of it changed.
func masked(o api.Object, hide func(string) string) api.Object {
	if o == nil {
		return nil
	}
	return maskValue(map[string]any(o), hide).(map[string]any)
}

func maskValue(v any, hide func(string) string) any {
	switch v := v.(type) {
	case string:
		return hide(v)
	case map[string]any:
		changed := make(map[string]any, len(v))
		for key, value := range v {
			changed[hide(key)] = maskValue(value, hide)
		}
		return changed
	case []any:
		changed := make([]any, len(v))
		for i, value := range v {
			changed[i] = maskValue(value, hide)
		}
		return changed
	}
	return v
}

// render renders all selected instances. The error joins those of all.
func (b *Bundle) render(ctx context.Context, observer event.Observer) ([]*build.Result, error) {
	outcomes, err := build.RenderAll(ctx, b.Requests, b.observer(observer))
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
		errs = append(errs, b.all.Hide(o.Err))
	}
	return results, errors.Join(errs...)
}

// observer returns an observer that is told everything without what was read
// from Secrets.
func (b *Bundle) observer(next event.Observer) event.Observer {
	return event.Func(func(e event.Event) {
		switch t := e.(type) {
		case event.Applied:
			t.Reason = b.secret(t.Reason)
			e = t
		case event.Progress:
			t.Message = b.secret(t.Message)
			e = t
		case event.Note:
			t.Text = b.secret(t.Text)
			e = t
		case event.Warning:
			t.Text = b.secret(t.Text)
			e = t
		}
		next.Observe(e)
	})
}

// Instance is a rendered instance of a bundle.
type Instance struct {
	bundle.Instance
	Result *build.Result // nil when it could not be rendered
}

// Build renders the instances. The error joins those of all.
func Build(ctx context.Context, b *Bundle, observer event.Observer) ([]Instance, error) {
	results, err := b.render(ctx, observer)
	if results == nil {
		return nil, err
	}
	instances := make([]Instance, len(results))
	for i, r := range results {
		instances[i] = Instance{b.Selected[i], r}
	}
	return instances, err
}
