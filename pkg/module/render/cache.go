// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/healthcheck"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/memo"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Cache keeps what was rendered, so that the same request reads it instead of
// evaluating the module again. Nothing is kept of a request whose values may
// hold a secret, of a module that renders a Secret, and of one that more than
// its own files decide. A nil Cache keeps nothing.
type Cache struct {
	Dir string // private to the user; one that is not is not used
	// Program tells this program from its other builds, and says what of its
	// environment the evaluator reads. Empty: nothing is kept.
	Program string
}

// place is where the result of a request is kept. The zero value keeps nothing.
type place struct {
	store memo.Store
	key   memo.Key
	tree  memo.Key
}

// trees are the digests of directories, each of which is read once.
type trees map[string]tree

type tree struct {
	key memo.Key
	err error
}

func (t trees) of(dir string) (memo.Key, error) {
	found, known := t[dir]
	if !known {
		found.key, found.err = memo.Tree(dir, isOwn)
		t[dir] = found
	}
	return found.key, found.err
}

// errForeign says that files of other directories decide what is rendered.
var errForeign = errors.New("other directories are part of the module")

// isOwn refuses a file that makes other directories part of a module.
func isOwn(name string, content []byte) error {
	switch filepath.Base(name) {
	case filepath.Base(localModuleFile):
		return errForeign
	case filepath.Base(moduleFile):
		if bytes.Contains(content, []byte("replaceWith")) {
			return errForeign
		}
	}
	return nil
}

// placeOf returns the place for a request.
func (t trees) placeOf(req Request) place {
	if req.Cache == nil || req.Cache.Program == "" || req.CUERegistry != nil || req.CheckImages || req.comments {
		return place{}
	}
	p := place{store: memo.Store{Dir: req.Cache.Dir}}
	digest := memo.NewDigest()
	digest.Add("program", req.Cache.Program)
	if !p.store.IsUsable() || !req.addTo(digest) {
		return place{}
	}
	var err error
	if p.tree, err = t.of(req.Dir); err != nil {
		return place{}
	}
	digest.Add("tree", string(p.tree[:]))
	p.key = digest.Key()
	return p
}

// addTo adds to a digest all of the request that decides its result, other than
// the files of the module. It is false for values of which nothing is kept.
func (req Request) addTo(digest memo.Digest) bool {
	digest.Add("request", req.Origin, req.Package, req.Name, req.Namespace, req.ModuleVersion, req.KubeVersion, req.within())
	limits := req.Limits.orDefault() // which a request that names others is to be held to
	digest.Add("limits", limits.Time.String(), strconv.FormatInt(limits.Memory, 10))
	for _, flag := range []bool{req.Debug, req.Whole, req.ReplaceValues, req.ObjectsOnly} {
		digest.Add(strconv.FormatBool(flag))
	}
	for _, s := range req.Scopes {
		digest.Add("scope", s.Group, s.Kind, strconv.FormatBool(s.Namespaced))
	}
	for _, src := range req.Values {
		if !digest.AddSource(src) {
			return false
		}
	}
	return true
}

// within returns Request.Within so that it is the same for a module that is
// unpacked somewhere else.
func (req Request) within() string {
	if req.Within == "" || req.Within == req.Dir {
		return strconv.FormatBool(req.Within == req.Dir)
	}
	dir, err := filepath.EvalSymlinks(req.Dir)
	outer, outerErr := filepath.EvalSymlinks(req.Within)
	if errors.Join(err, outerErr) != nil {
		return "neither"
	}
	return dir + "\n" + outer
}

// load returns the result that is kept for the request, and nil when none is.
func (p place) load(ctx context.Context, req Request) *Result {
	if p.store.Dir == "" {
		return nil
	}
	data := p.store.Get(p.key)
	if data == nil {
		return nil
	}
	entry, err := memo.DecodeEntry(data)
	if err != nil {
		return nil
	}
	result := &Result{
		ModulePath: entry.ModulePath, Values: entry.Values, Images: entry.Images,
		Warnings: entry.Warnings, ScopeWarnings: entry.ScopeWarnings,
		mu: &sync.Mutex{}, limits: req.Limits, checks: healthcheck.AllKept(entry.Checks),
	}
	for _, set := range entry.Sets {
		result.Sets = append(result.Sets, Set{Name: set.Name, Objects: set.Objects, places: set.Places})
	}
	if !req.ObjectsOnly && len(req.Values) > 0 {
		if result.Values, err = valuesAlone(ctx, req); err != nil {
			return nil
		}
	}
	req.Cache = nil
	result.again = func() (*Result, error) { return Build(context.WithoutCancel(ctx), req) }
	return result
}

// keep keeps a result, if the module's files are still those of the key. The
// user's values are not part of it.
func (p place) keep(now trees, req Request, result *Result) {
	if p.store.Dir == "" || result.isPrivate || slices.ContainsFunc(result.Objects(), api.Object.IsSecret) {
		return
	}
	entry := memo.Entry{
		ModulePath: result.ModulePath, Images: result.Images,
		Warnings: result.Warnings, ScopeWarnings: result.ScopeWarnings,
	}
	var same bool
	if entry.Checks, same = healthcheck.KeepAll(result.checks); !same {
		return
	}
	if len(req.Values) == 0 {
		entry.Values = result.Values
	}
	for _, set := range result.Sets {
		kept := memo.Set{Name: set.Name, Objects: set.Objects}
		for _, v := range set.values {
			kept.Places = append(kept.Places, memo.Place(origin(v, "", result.nested)))
		}
		entry.Sets = append(entry.Sets, kept)
	}
	data, err := entry.Encode()
	if err != nil || mask.HasShape(string(data)) { // which the module may have put together
		return
	}
	if after, err := now.of(req.Dir); err == nil && after == p.tree {
		p.store.Put(p.key, data)
	}
}

// valuesAlone returns Result.Values of a request without evaluating the module,
// where that is possible.
func valuesAlone(ctx context.Context, req Request) (string, error) {
	return bounded(ctx, req.Limits, "load", func(*stage) (text string, err error) {
		defer values.Recover("module", &err)
		req.unordered = true
		e, err := newEvaluation(req)
		if err != nil {
			return "", err
		}
		defer e.confined.Close()
		v := e.valuesFileAlone()
		if len(e.tree.Defaults()) > 0 || v.Validate(cue.Concrete(true)) != nil {
			return "", errPartial
		}
		return values.Text(v)
	})
}
