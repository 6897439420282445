// SPDX-License-Identifier: Apache-2.0

// Package mod is the verbs of a module's author: what makes, formats, vets,
// describes and tests a module. No function of it prints.
package mod

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"github.com/rogpeppe/go-internal/diff"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Formatted is a CUE file that was not formatted, and how it is.
type Formatted struct {
	Path        string // as the user typed it, or below what was typed
	Before, New []byte

	dir, name string // the directory that was typed, or that of the file, and what is below
}

// Diff returns what changes, as a unified diff.
func (f Formatted) Diff() []byte { return diff.Diff(f.Path+".orig", f.Before, f.Path, f.New) }

// Format returns the CUE files among paths, and below those that are
// directories, that are not formatted. It writes nothing. In directories, what
// is in a cue.mod or has a dot first in its name is passed over, and so are
// symbolic links. An error of the syntax is a *values.Error.
func Format(paths []string) ([]Formatted, error) {
	var changed []Formatted
	for _, path := range paths {
		dir, names, err := cueFiles(path)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			file := filepath.Join(dir, name)
			before, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			after, err := FormatSource(file, before)
			if err != nil {
				return nil, err
			}
			if !bytes.Equal(after, before) {
				changed = append(changed, Formatted{Path: file, Before: before, New: after, dir: dir, name: name})
			}
		}
	}
	return changed, nil
}

// FormatSource returns CUE source formatted. The name stands in errors.
func FormatSource(name string, source []byte) ([]byte, error) {
	file, err := parser.ParseFile(name, source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("format: %w", values.Explain(err))
	}
	out, err := format.Node(file)
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", name, err)
	}
	return out, nil
}

// Write writes the formatted file in place of the other. An error of exit code
// fail.Refused says that a symbolic link is in the way.
func (f Formatted) Write() error { return link.WriteFile(f.dir, f.name, f.New, 0o644) }

// cueFiles returns the file at path, or the CUE files below it if it is a
// directory, or a link to one. The names are relative to dir.
func cueFiles(path string) (dir string, names []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		return filepath.Dir(path), []string{filepath.Base(path)}, nil
	}
	err = fs.WalkDir(os.DirFS(path), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "cue.mod" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.Type().IsRegular() && filepath.Ext(name) == ".cue" && !strings.HasPrefix(d.Name(), "."):
			names = append(names, filepath.FromSlash(name))
		}
		return nil
	})
	return path, names, err
}
