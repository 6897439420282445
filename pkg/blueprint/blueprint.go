// SPDX-License-Identifier: Apache-2.0

// Package blueprint holds the modules that a new module is made of.
package blueprint

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/schema"
)

// NameToken stands in the README of a blueprint for the name of the module.
const NameToken = "__NAME__"

// licence is what a new module does without: its author says what holds for it.
const licence = "// SPDX-License-Identifier: Apache-2.0\n\n"

//go:embed starter minimal
var modules embed.FS

// The schemas of Kubernetes that starter imports, as a tree to be put into
// cue.mod/gen. They are those of test/modules/minimal: a test compares them,
// and writes the archive with UPDATE=1.
//
//go:embed kubernetes.zip
var kubernetes []byte

// Starter returns the files of a module with what most applications have, by
// their slash-separated paths. Its schemas of Kubernetes are a part of all.
func Starter() (map[string][]byte, error) {
	gen, err := zip.NewReader(bytes.NewReader(kubernetes), int64(len(kubernetes)))
	if err != nil {
		return nil, fmt.Errorf("embedded Kubernetes schemas: %w", err)
	}
	return files("starter", tree{"cue.mod/gen", gen})
}

// Minimal returns the files of the smallest module that there is sense in.
func Minimal() (map[string][]byte, error) { return files("minimal") }

// tree is files that go to a directory of a module.
type tree struct {
	dir   string
	files fs.FS
}

func files(name string, trees ...tree) (map[string][]byte, error) {
	own, err := fs.Sub(modules, name)
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	if err := Collect(all, "", own); err != nil {
		return nil, err
	}
	for name, data := range all {
		all[name] = bytes.TrimPrefix(data, []byte(licence))
	}
	for _, t := range append(trees, tree{"cue.mod/pkg", schema.Core()}) {
		if err := Collect(all, t.dir, t.files); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Collect adds the regular files of a tree to files, as files of the directory
// dir.
func Collect(files map[string][]byte, dir string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		files[path.Join(dir, name)] = data
		return err
	})
}
