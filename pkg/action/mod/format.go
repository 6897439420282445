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

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Formatted is a CUE file that was not formatted, and how it is.
type Formatted struct {
	Path        string // as the user typed it, or below what was typed
	Before, New []byte
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
		files, err := cueFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			before, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			after, err := FormatSource(file, before)
			if err != nil {
				return nil, err
			}
			if !bytes.Equal(after, before) {
				changed = append(changed, Formatted{Path: file, Before: before, New: after})
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

// Write writes the formatted file in place of the other.
func (f Formatted) Write() error {
	info, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	return os.WriteFile(f.Path, f.New, info.Mode().Perm())
}

// cueFiles returns path if it is a file, and the CUE files below it if it is a
// directory.
func cueFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != path && (d.Name() == "cue.mod" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.Type().IsRegular() && filepath.Ext(name) == ".cue" && !strings.HasPrefix(d.Name(), "."):
			files = append(files, name)
		}
		return nil
	})
	return files, err
}
