// SPDX-License-Identifier: Apache-2.0

package vendor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// CRDRequest says which definitions go into which module.
type CRDRequest struct {
	Origin Origin
	Dir    string // of the module

	Kinds    []string // KIND or KIND.GROUP, without regard to case; all when empty
	Versions []string // all that are served when empty
	Defaults bool     // see crd.GenerateOptions
	Prune    bool     // delete what there is of versions that are no longer served

	Limits render.Limits // of generating the definitions of a version
}

// Kind is one version of a kind that a CRD defines.
type Kind struct {
	Group, Kind, Version string
	Namespaced           bool
}

// File is a file of cue.mod/gen.
type File struct {
	Path   string // as the request's Dir begins it
	Status Status
}

// Status is what became of a file.
type Status string

// The words are kubectl's.
const (
	Created    Status = "created"
	Configured Status = "configured"
	Unchanged  Status = "unchanged"
)

// Kinds returns what the origin defines and the request selects, sorted.
func Kinds(ctx context.Context, req CRDRequest) ([]Kind, error) {
	selected, err := selectKinds(ctx, req)
	if err != nil {
		return nil, err
	}
	kinds := make([]Kind, len(selected))
	for i, s := range selected {
		kinds[i] = Kind{
			Group: s.definition.Group, Kind: s.definition.Kind, Version: s.version.Name,
			Namespaced: s.definition.Namespaced,
		}
	}
	return kinds, nil
}

// CRD writes CUE definitions of CustomResourceDefinitions below the module's
// cue.mod/gen, and next to them what an API server validates by. Nothing is
// written unless all of them can be.
func CRD(ctx context.Context, req CRDRequest) ([]File, error) {
	if err := checkModule(req.Dir); err != nil {
		return nil, err
	}
	selected, err := selectKinds(ctx, req)
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for _, s := range selected {
		name := s.definition.Path(s.version.Name)
		if content[name] != nil {
			return nil, fmt.Errorf("%s is defined twice", name)
		}
		if content[name], err = generate(ctx, req, s); err != nil {
			return nil, err
		}
		if content[s.definition.KeptPath(s.version.Name)], err = s.definition.Keep(s.version); err != nil {
			return nil, err
		}
	}
	files, err := write(req.Dir, content)
	if err != nil || !req.Prune {
		return files, err
	}
	deleted, err := prune(req.Dir, selected)
	return append(files, deleted...), err
}

// generate makes the CUE definitions of a version within the limits of rendering.
func generate(ctx context.Context, req CRDRequest, s selection) ([]byte, error) {
	what := s.definition.Name + " " + s.version.Name
	data, err := render.Bounded(ctx, req.Limits, "generate", what, func() ([]byte, error) {
		if err := cel.Check(s.version); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		return s.definition.Generate(s.version, crd.GenerateOptions{Defaults: req.Defaults})
	})
	if e, ok := errors.AsType[*render.LimitError](err); ok && e.Memory > 0 {
		return nil, fmt.Errorf("%s: its CUE definitions need more than %s of memory", what, render.FormatBytes(e.Memory))
	} else if ok {
		return nil, fmt.Errorf("%s: its CUE definitions are not done after %s", what, e.Time)
	}
	return data, err
}

// prune deletes what earlier runs wrote of versions of the selected kinds that
// are no longer served.
func prune(dir string, selected []selection) ([]File, error) {
	var deleted []File
	done := map[string]bool{}
	for _, s := range selected {
		kind := path.Dir(path.Dir(s.definition.KeptPath(s.version.Name)))
		if done[kind] {
			continue
		}
		done[kind] = true
		versions, err := os.ReadDir(filepath.Join(dir, "cue.mod", "gen", filepath.FromSlash(kind)))
		if err != nil {
			return deleted, err
		}
		for _, v := range versions {
			if _, served := s.definition.Version(v.Name()); served || !v.IsDir() || isSelected(selected, s.definition, v.Name()) {
				continue
			}
			files, err := pruneVersion(dir, s.definition, v.Name())
			deleted = append(deleted, files...)
			if err != nil {
				return deleted, err
			}
		}
	}
	return deleted, nil
}

func isSelected(selected []selection, d crd.Definition, version string) bool {
	return slices.ContainsFunc(selected, func(s selection) bool {
		return s.definition.Name == d.Name && s.version.Name == version
	})
}

// pruneVersion deletes the generated files of a version, and its directory if
// it held nothing else.
func pruneVersion(dir string, d crd.Definition, version string) ([]File, error) {
	var deleted []File
	for _, p := range []string{d.Path(version), d.KeptPath(version)} {
		name := filepath.Join("cue.mod", "gen", filepath.FromSlash(p))
		file := filepath.Join(dir, name)
		err := link.Check(dir, name)
		if err == nil {
			err = os.Remove(file)
		}
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return deleted, err
		default:
			deleted = append(deleted, File{Path: file, Status: Deleted})
		}
	}
	// That fails when it holds anything else.
	_ = os.Remove(filepath.Join(dir, "cue.mod", "gen", filepath.FromSlash(path.Dir(d.Path(version)))))
	return deleted, nil
}

// checkModule keeps schemas from being written where no import finds them.
func checkModule(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "cue.mod", "module.cue")); err != nil {
		return fail.Hint(fmt.Errorf("directory %q is not a module: it has no cue.mod/module.cue", dir),
			"name the directory of the module, or create one with 'kubectl timoni mod init NAME'")
	}
	return nil
}

type selection struct {
	definition crd.Definition
	version    crd.Version
}

// selectKinds applies the filters of the request. One that selects nothing is
// an error: it is a typo.
func selectKinds(ctx context.Context, req CRDRequest) ([]selection, error) {
	definitions, err := req.Origin.definitions(ctx)
	if err != nil {
		return nil, err
	}
	if err = checkKinds(definitions, req.Kinds); err != nil {
		return nil, err
	}
	var selected []selection
	for _, d := range definitions {
		if len(req.Kinds) > 0 && !slices.ContainsFunc(req.Kinds, func(kind string) bool { return isNamed(d, kind) }) {
			continue
		}
		for _, v := range d.Versions {
			wanted := v.Served
			if len(req.Versions) > 0 {
				wanted = slices.Contains(req.Versions, v.Name)
			}
			if wanted {
				selected = append(selected, selection{d, v})
			}
		}
	}
	for _, version := range req.Versions {
		if !slices.ContainsFunc(selected, func(s selection) bool { return s.version.Name == version }) {
			return nil, fmt.Errorf("no kind has a version %q", version)
		}
	}
	slices.SortStableFunc(selected, func(a, b selection) int {
		return cmp.Or(cmp.Compare(a.definition.Group, b.definition.Group), cmp.Compare(a.definition.Kind, b.definition.Kind))
	})
	return selected, nil
}

func checkKinds(definitions []crd.Definition, kinds []string) error {
	for _, kind := range kinds {
		if slices.ContainsFunc(definitions, func(d crd.Definition) bool { return isNamed(d, kind) }) {
			continue
		}
		var known []string
		for _, d := range definitions {
			name := d.Kind
			if strings.Contains(kind, ".") {
				name += "." + d.Group
			}
			known = append(known, name)
		}
		slices.Sort(known)
		return fail.Hint(fmt.Errorf("no CustomResourceDefinition has the kind %q", kind),
			"there are %s", strings.Join(slices.Compact(known), ", "))
	}
	return nil
}

// isNamed says whether KIND or KIND.GROUP names a definition.
func isNamed(d crd.Definition, kind string) bool {
	return strings.EqualFold(kind, d.Kind) || strings.EqualFold(kind, d.Kind+"."+d.Group)
}

// write writes files, by their path with slashes, below the generated schemas
// of a module. Nothing is written when one of them would end elsewhere.
func write(dir string, content map[string][]byte) ([]File, error) {
	for name := range content {
		if err := link.Check(dir, filepath.Join("cue.mod", "gen", filepath.FromSlash(name))); err != nil {
			return nil, err
		}
	}
	var files []File
	for slashed, data := range content {
		name := filepath.Join("cue.mod", "gen", filepath.FromSlash(slashed))
		status, err := writeFile(dir, name, data)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: filepath.Join(dir, name), Status: status})
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

func writeFile(dir, name string, data []byte) (Status, error) {
	status := Configured
	old, err := os.ReadFile(filepath.Join(dir, name))
	switch {
	case err == nil && bytes.Equal(old, data):
		return Unchanged, nil
	case errors.Is(err, os.ErrNotExist):
		status = Created
	case err != nil:
		return "", err
	}
	return status, link.WriteFile(dir, name, data, 0o644)
}
