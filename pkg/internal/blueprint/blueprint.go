// SPDX-License-Identifier: Apache-2.0

// Package blueprint holds the modules that a new module starts from.
package blueprint

import (
	"bytes"
	"embed"
	"io/fs"
	"path"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema/kubernetes"
)

// NameToken stands in the README of a blueprint for the name of the module.
const NameToken = "__NAME__"

// licence is what a new module does without: its author says what holds for it.
const licence = "// SPDX-License-Identifier: Apache-2.0\n\n"

//go:embed starter minimal
var modules embed.FS

// Starter returns the files of a module with what most applications have, by
// their slash-separated paths. Its schemas of Kubernetes are a part of all.
func Starter() (map[string][]byte, error) {
	gen, err := kubernetes.Schemas()
	if err != nil {
		return nil, err
	}
	var trees []tree
	for _, name := range imported() {
		sub, err := fs.Sub(gen, name)
		if err != nil {
			return nil, err
		}
		trees = append(trees, tree{path.Join("cue.mod/gen", name), sub})
	}
	return files("starter", trees...)
}

// imported are the packages of Kubernetes that starter imports, and those that
// they do.
func imported() []string {
	return []string{
		"k8s.io/api/apps/v1",
		"k8s.io/api/batch/v1",
		"k8s.io/api/core/v1",
		"k8s.io/apimachinery/pkg/api/resource",
		"k8s.io/apimachinery/pkg/apis/meta/v1",
		"k8s.io/apimachinery/pkg/runtime",
		"k8s.io/apimachinery/pkg/types",
		"k8s.io/apimachinery/pkg/util/intstr",
		"k8s.io/apimachinery/pkg/watch",
	}
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
