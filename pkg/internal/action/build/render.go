// SPDX-License-Identifier: Apache-2.0

// Package build is the verb that every other one begins with: a module
// reference and values in, stages of objects out.
package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Request names a module and its instance.
type Request struct {
	Module          ref.Reference
	OCI             oci.Options // for a module in a registry
	Name, Namespace string
	Package         string // render.DefaultPackage when empty
	KubeVersion     string // as a server says it, render.DefaultKubeVersion when empty

	Values []values.Source // merged over the module's in this order
	// ReplaceValues makes Values stand in for the module's, as a rollback wants it.
	ReplaceValues bool
	Advise        func(values.Problem) string // as render.Request has it

	Debug, CheckImages, Whole bool // as render.Request has them
	Limits                    render.Limits
	CUERegistry               *render.CUERegistry
	Cache                     *render.Cache

	// ObjectsOnly leaves values and images of the result empty.
	ObjectsOnly bool

	Validate Validation       // of custom resources
	BuiltIns Validation       // of the kinds of Kubernetes itself; the zero value leaves them to the server
	Schemas  *builtin.Schemas // of the kinds of Kubernetes; those in the binary when nil
	// WarnScope warns of objects of unknown scope, which no server is asked for.
	WarnScope bool
	CRDs      []crd.Definition // to validate with, in addition to those that the module renders
	Rules     Rules            // nil: rules in CEL are left to the API server
}

// scopes returns what the CRDs say of kinds.
func (req Request) scopes() []render.Scope {
	var scopes []render.Scope
	for _, d := range req.CRDs {
		scopes = append(scopes, render.Scope{Group: d.Group, Kind: d.Kind, Namespaced: d.Namespaced})
	}
	return scopes
}

// Result is a rendered instance. Its health checks work after the module's
// content is gone.
type Result struct {
	*render.Result
	Module api.Module // what the instance record says of the module
}

// Render fetches the module and renders it. The observer is told of the pull
// and of warnings. Nothing is left on disk.
func Render(ctx context.Context, req Request, observer event.Observer) (result *Result, err error) {
	m, err := source.Open(ctx, req.Module, source.Options{OCI: req.OCI, Observer: observer})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	rendered, err := render.Build(ctx, req.of(m))
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", req.Name, err)
	}
	return finish(ctx, req, m, rendered, observer)
}

// of returns the request to render a module whose content is at hand.
func (req Request) of(m *source.Module) render.Request {
	return render.Request{
		Dir: m.Dir, Origin: req.Module.String(), Package: req.Package,
		Name: req.Name, Namespace: req.Namespace, ModuleVersion: m.Version, KubeVersion: req.KubeVersion,
		Values: req.Values, ReplaceValues: req.ReplaceValues, Advise: req.Advise, Limits: req.Limits, CUERegistry: req.CUERegistry,
		Scopes: req.scopes(), Within: m.Within, Debug: req.Debug, CheckImages: req.CheckImages, Whole: req.Whole,
		Cache: req.Cache, ObjectsOnly: req.ObjectsOnly,
	}
}

// finish reports what was rendered, and checks its structure.
func finish(ctx context.Context, req Request, m *source.Module, rendered *render.Result, observer event.Observer) (*Result, error) {
	warnings := rendered.Warnings
	if req.WarnScope {
		warnings = slices.Concat(warnings, rendered.ScopeWarnings)
	}
	for _, warning := range warnings {
		observer.Observe(event.Warning{Text: warning})
	}
	if err := Check(ctx, req, m, rendered, observer); err != nil {
		return nil, fmt.Errorf("render %s: %w", req.Name, err)
	}
	return &Result{Result: rendered, Module: api.Module{
		Name: rendered.ModulePath, Repository: m.Repository,
		Version: m.Version, Digest: m.Digest, Annotations: m.Annotations,
	}}, nil
}
