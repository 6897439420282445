// SPDX-License-Identifier: Apache-2.0

// Package render evaluates a module: a directory and values in, stages of
// Kubernetes objects out. The semantics are those of docs/interop.md, section 1.
// It reads the module's files and nothing else: no environment, no cluster, no
// registry.
package render

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/healthcheck"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/memo"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// DefaultPackage is the package that is rendered unless another one is named.
const DefaultPackage = "main"

// DefaultKubeVersion is the version of Kubernetes that a module is told when
// the cluster's is unknown.
const DefaultKubeVersion = "1.36.3"

// ErrNoModule says that a directory holds no module, or an incomplete one.
var ErrNoModule = errors.New("not a Timoni module")

// Request says what to render.
type Request struct {
	Dir     string // holds the module
	Origin  string // what the user typed, for error messages; Dir when empty
	Package string // DefaultPackage when empty

	Name, Namespace string // of the instance
	ModuleVersion   string
	KubeVersion     string // as a server says it, DefaultKubeVersion when empty
	// Debug sets the build tag debug; debug_values.cue then stands in for
	// values.cue, if there is one.
	Debug bool
	// CheckImages asks for Result.ImageProblems.
	CheckImages bool

	// Whole evaluates all of the vendored packages, so that errors in what
	// nothing refers to are found too. The result is the same.
	Whole bool

	comments  bool // of the source are kept
	unordered bool // the fields of the values are

	// Scopes are those of kinds whose CRDs the module need not render.
	Scopes []Scope

	Values []values.Source // merged over values.cue in this order
	// ReplaceValues makes Values stand in for values.cue, as a rollback wants it.
	ReplaceValues bool
	// Advise returns what the user may do about a problem of the values that has a
	// Remedy: the caller may know a flag. Nil: in words that fit all callers.
	Advise func(values.Problem) string

	Limits Limits

	CUERegistry *CUERegistry // nil: none is ever asked

	// Within, when it is set, is the directory that no file below cue.mod leaves
	// through a link: the module may be of another party. Other files of a
	// module never leave it.
	Within string

	// ObjectsOnly leaves Values, Images and ImageProblems of the result empty,
	// which saves an evaluation.
	ObjectsOnly bool

	Cache *Cache // of results; nil: there is none

	shared *shared // what other renderings of the module have read; nil: there are none
}

// Set is a stage: objects that are applied together.
type Set struct {
	Name    string
	Objects []api.Object

	values []cue.Value  // of Objects
	places []memo.Place // of Objects, instead of values, in a result that was kept
}

// Result is a rendered instance.
type Result struct {
	ModulePath string   // CUE's, "timoni.sh/minimal"
	Sets       []Set    // in the order in which they are to be applied
	Values     string   // values.cue merged with the user's values, as CUE text
	Images     []string // the container images of the instance's configuration, sorted
	Warnings   []string
	// ScopeWarnings are about objects that are left without a namespace because
	// the scope of their kind is unknown; a server knows it.
	ScopeWarnings []string
	Unscoped      []api.ID // these objects
	// ImageProblems is what is wrong with the images of the containers: a
	// reference that is none, or one with neither a tag nor a digest.
	ImageProblems []values.Problem

	mu     *sync.Mutex // CUE values are not safe for concurrent use
	checks []*healthcheck.Check
	limits Limits // of evaluating one
	nested int    // selectors before those of the module in paths

	isPrivate bool                    // the values may hold a secret
	again     func() (*Result, error) // evaluates what was kept; nil: it is evaluated
}

// Objects returns the objects of all stages in order.
func (r *Result) Objects() []api.Object {
	var objects []api.Object
	for _, set := range r.Sets {
		objects = append(objects, set.Objects...)
	}
	return objects
}

// Build renders the module. Errors of the module's code or of the values wrap a
// *values.Error with the places; a directory without a module is ErrNoModule.
func Build(ctx context.Context, req Request) (*Result, error) {
	place := trees{}.placeOf(req)
	if kept := place.load(ctx, req); kept != nil {
		return kept, nil
	}
	result, err := evaluate(ctx, req)
	if err == nil {
		place.keep(trees{}, req, result)
	}
	return result, err
}

// evaluate is Build without a cache.
func evaluate(ctx context.Context, req Request) (*Result, error) {
	return bounded(ctx, req.Limits, "load", func(s *stage) (*Result, error) {
		part, failed := buildStages(ctx, req, s)
		if errors.Is(failed, errPartial) {
			req.Whole = true
			s.enter("load")
			return buildStages(ctx, req, s)
		}
		return part, failed
	})
}

// buildStages tells s what it is at. Between the stages is where a cancelled
// run, for which no caller waits any more, ends.
func buildStages(ctx context.Context, req Request, s *stage) (result *Result, err error) {
	defer values.Recover("module "+strconv.Quote(cmp.Or(req.Origin, req.Dir)), &err)
	e, err := newEvaluation(req)
	if err != nil {
		return nil, err
	}
	defer e.confined.Close()
	if err = ctx.Err(); err != nil {
		return nil, err
	}
	s.enter("evaluate")
	root, err := e.evaluate()
	if err != nil {
		return nil, err
	}
	s.enter("decode")
	if result, err = e.result(root); err != nil {
		return nil, e.explain(err)
	}
	return result, nil
}

// newEvaluation reads what the request names.
func newEvaluation(req Request) (*evaluation, error) {
	req.Package = cmp.Or(req.Package, DefaultPackage)
	req.Origin = cmp.Or(req.Origin, req.Dir)
	var err error
	if req.KubeVersion, err = parseKubeVersion(cmp.Or(req.KubeVersion, DefaultKubeVersion)); err != nil {
		return nil, err
	}
	if err = checkModule(req); err != nil {
		return nil, err
	}
	tree, err := values.Merge(req.Values)
	if err != nil {
		return nil, err
	}
	if req.ReplaceValues {
		tree.Replace()
	}
	req.Whole = req.shared.useWhole(req.Whole)
	return loadModule(req, tree)
}

// result reads from the evaluated module what it has to say.
func (e *evaluation) result(root cue.Value) (*Result, error) {
	timoni := root.LookupPath(cue.MakePath(cue.Str("timoni")))
	instance := timoni.LookupPath(cue.MakePath(cue.Str("instance")))
	if err := instance.Validate(cue.Concrete(true)); err != nil {
		return nil, values.Explain(err)
	}
	reader := &reader{namespace: e.req.Namespace, scopes: e.req.Scopes, vendored: e.files.vendoredScope}
	sets, warnings, err := reader.readSets(timoni.LookupPath(cue.MakePath(cue.Str("apply"))))
	if err != nil {
		return nil, err
	}
	checks, err := healthcheck.Read(timoni.LookupPath(cue.MakePath(cue.Str("healthChecks"))))
	if err != nil {
		return nil, err
	}
	result := &Result{
		ModulePath: e.path,
		Sets:       sets,
		Warnings:   append(e.warnings, warnings...),

		ScopeWarnings: scopeWarnings(reader.unscoped), Unscoped: idsOf(reader.unscoped),

		mu:     &sync.Mutex{},
		checks: checks,
		limits: e.req.Limits,

		isPrivate: e.req.Cache != nil && memo.NameSecret(e.valuesFile, e.instance.Files),
	}
	if e.req.ObjectsOnly {
		return result, nil
	}
	config := instance.LookupPath(cue.MakePath(cue.Str("config")))
	result.Images = readImages(config)
	if e.req.CheckImages {
		result.ImageProblems = checkImages(config, timoni.LookupPath(cue.MakePath(cue.Str("apply"))))
	}
	result.Values, err = e.valuesText(root)
	return result, err
}

// problems turns what was found wrong with the objects into one error.
func problems(list []values.Problem) error {
	if len(list) == 0 {
		return nil
	}
	return values.NewError(list)
}
