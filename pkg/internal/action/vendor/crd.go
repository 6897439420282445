// SPDX-License-Identifier: Apache-2.0

package vendor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// CRDRequest says which definitions go into which module.
type CRDRequest struct {
	Origin Origin
	Dir    string // of the module

	Kinds    []string // without regard to case; all when empty
	Versions []string // all that are served when empty
	Defaults bool     // see crd.GenerateOptions
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
// cue.mod/gen. Nothing is written unless all of them can be.
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
		path := s.definition.Path(s.version.Name)
		if content[path] != nil {
			return nil, fmt.Errorf("%s is defined twice", path)
		}
		if content[path], err = s.definition.Generate(s.version, crd.GenerateOptions{Defaults: req.Defaults}); err != nil {
			return nil, err
		}
	}
	return write(req.Dir, content)
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
		if len(req.Kinds) > 0 && !containsFold(req.Kinds, d.Kind) {
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
	var known []string
	for _, d := range definitions {
		known = append(known, d.Kind)
	}
	slices.Sort(known)
	for _, kind := range kinds {
		if !containsFold(known, kind) {
			return fail.Hint(fmt.Errorf("no CustomResourceDefinition has the kind %q", kind),
				"there are %s", strings.Join(slices.Compact(known), ", "))
		}
	}
	return nil
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, s) })
}

// write writes files, by their path with slashes, below the generated schemas
// of a module. Nothing is written when one of them would end elsewhere.
func write(dir string, content map[string][]byte) ([]File, error) {
	for path := range content {
		if err := link.Check(dir, filepath.Join("cue.mod", "gen", filepath.FromSlash(path))); err != nil {
			return nil, err
		}
	}
	var files []File
	for path, data := range content {
		name := filepath.Join("cue.mod", "gen", filepath.FromSlash(path))
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
