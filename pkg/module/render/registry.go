// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// CUERegistry says how the CUE modules are fetched that a module names as its
// deps. What was fetched is kept in CUE's own cache.
type CUERegistry struct {
	Env       []string // CUE_REGISTRY, CUE_CACHE_DIR and what CUE needs for credentials
	UserAgent string
}

// dependencies is the CUE registry of a module. What the module has a copy of
// in cue.mod is not asked for: CUE itself would call it ambiguous, or not do
// without a registry.
type dependencies struct {
	root string             // of the module
	next modconfig.Registry // for what is not vendored
}

var _ modconfig.Registry = dependencies{}

func (req Request) registry(root string) modconfig.Registry {
	d := dependencies{root: root, next: refusal{}}
	if r := req.CUERegistry; r != nil {
		d.next = &modconfig.LazyRegistry{New: func() (modconfig.CachedRegistry, error) {
			return modconfig.NewRegistry(&modconfig.Config{Env: append([]string{}, r.Env...), ClientType: r.UserAgent})
		}}
	}
	return d
}

// vendored returns the directory of the module's copy, empty when there is none.
func (d dependencies) vendored(mv module.Version) string {
	for _, place := range []string{"pkg", "gen", "usr"} {
		dir := filepath.Join(d.root, "cue.mod", place, filepath.FromSlash(mv.BasePath()))
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// ModFile returns the copy's own, or one that says nothing.
func (d dependencies) ModFile(ctx context.Context, mv module.Version) (*modfile.File, error) {
	dir := d.vendored(mv)
	if dir == "" {
		return d.next.ModFile(ctx, mv)
	}
	name := filepath.Join(dir, filepath.FromSlash(moduleFile))
	if data, err := os.ReadFile(name); err == nil {
		if file, err := modfile.ParseNonStrict(data, name); err == nil {
			return file, nil
		}
	}
	return modfile.ParseNonStrict(fmt.Appendf(nil, "module: %q\nlanguage: version: \"v0.8.0\"\n", mv.Path()), name)
}

// Fetch returns no place for what is vendored: the loader has found it.
func (d dependencies) Fetch(ctx context.Context, mv module.Version) (module.SourceLoc, error) {
	if d.vendored(mv) != "" {
		return module.SourceLoc{}, nil
	}
	return d.next.Fetch(ctx, mv)
}

// ModuleVersions asks for no version that module.cue does not name: a package
// that is nowhere is reported as such.
func (dependencies) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }

// refusal is the CUE registry that is never asked, unless that is allowed.
type refusal struct{ values.NoRegistry }

var errNotAsked = errors.New("it is not vendored in cue.mod, and no CUE registry may be asked")

// ModFile refuses.
func (refusal) ModFile(context.Context, module.Version) (*modfile.File, error) {
	return nil, errNotAsked
}

// Fetch refuses.
func (refusal) Fetch(context.Context, module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, errNotAsked
}
