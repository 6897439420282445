// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"os"
	"path/filepath"
	"strconv"

	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// The annotations by which kustomize knows an object of a build again, and says
// of which file it is.
const (
	buildID     = "kustomize.config.k8s.io/id"
	buildOrigin = "config.kubernetes.io/origin"
)

// FileOf returns the file that an object came from, and its index in it. The
// path is empty where that is not known; it is relative to one of the
// directories. The path that kustomize gives the objects of a function is none:
// no such file is ever written.
func FileOf(item *yaml.RNode, dirs ...string) (path string, index int) {
	annotations := item.GetAnnotations(buildOrigin, buildID, kioutil.PathAnnotation, kioutil.IndexAnnotation)
	path = annotations[kioutil.PathAnnotation]
	if text := annotations[buildOrigin]; text != "" {
		var origin struct{ Repo, Path string }
		if err := yaml.Unmarshal([]byte(text), &origin); err != nil || origin.Repo != "" {
			return "", 0
		}
		path = origin.Path
	} else if annotations[buildID] != "" {
		return "", 0
	}
	if !exists(path, dirs) {
		return "", 0
	}
	index, _ = strconv.Atoi(annotations[kioutil.IndexAnnotation]) // 0 where it has none
	return path, index
}

// exists says whether a path is that of a file.
func exists(path string, dirs []string) bool {
	for _, dir := range dirs {
		at := filepath.Join(dir, path)
		if filepath.IsAbs(path) {
			at = path
		}
		if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
