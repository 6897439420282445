// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// keptName is the file with what a CustomResourceDefinition says of a version,
// next to the CUE definition that was generated of it.
const keptName = "crd.json"

// KeptPath returns the path of that file below cue.mod/gen, with slashes.
func (d Definition) KeptPath(version string) string {
	return path.Join(path.Dir(d.Path(version)), keptName)
}

// Keep returns a CustomResourceDefinition with one version and what an API
// server validates by: without descriptions.
func (d Definition) Keep(v Version) ([]byte, error) {
	scope := "Cluster"
	if d.Namespaced {
		scope = "Namespaced"
	}
	version := map[string]any{
		"name": v.Name, "served": v.Served, "storage": true,
		"schema": map[string]any{"openAPIV3Schema": undescribed(v.schema)},
	}
	if v.hasStatus {
		version["subresources"] = map[string]any{"status": map[string]any{}}
	}
	plural, _, _ := strings.Cut(d.Name, ".")
	data, err := json.MarshalIndent(map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": d.Name},
		"spec": map[string]any{
			"group": d.Group, "scope": scope, "names": map[string]any{"kind": d.Kind, "plural": plural},
			"versions": []any{version},
		},
	}, "", " ")
	return append(data, '\n'), err
}

// undescribed returns a copy of a schema without descriptions.
func undescribed(schema map[string]any) map[string]any {
	s := maps.Clone(schema)
	for _, keyword := range []string{"description", "title", "example", "externalDocs"} {
		delete(s, keyword)
	}
	mapSchemas(s, undescribed)
	return s
}

// FindKept reads what is kept of the kind of an object in a module; ok says
// whether there is anything. The function refuses files that must not be read.
func FindKept(module string, object api.Object, check func(file string) error) (d Definition, ok bool, err error) {
	group, kind, version := object.Group(), object.Kind(), object.Version()
	if len(validation.IsDNS1123Subdomain(group)) > 0 || !kindRE.MatchString(kind) || len(validation.IsDNS1035Label(version)) > 0 {
		return Definition{}, false, nil
	}
	name := path.Join("cue.mod", "gen", Definition{Group: group, Kind: kind}.KeptPath(version))
	file := filepath.Join(module, filepath.FromSlash(name))
	if _, err = os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return Definition{}, false, nil
	}
	if err == nil {
		err = check(file)
	}
	if err != nil {
		return Definition{}, false, err
	}
	if d, err = readKept(file); err == nil && (d.Group != group || d.Kind != kind) {
		err = fmt.Errorf("%w of %s.%s", errNotCRD, kind, group)
	}
	if err != nil {
		return Definition{}, false, fmt.Errorf("%s: %w", name, err)
	}
	return d, true, nil
}

func readKept(file string) (Definition, error) {
	f, err := os.Open(file)
	if err != nil {
		return Definition{}, reason(err)
	}
	defer f.Close()
	data, err := readAll(f)
	if err != nil {
		return Definition{}, err
	}
	var object map[string]any // in which integers stay integers
	if err = utiljson.Unmarshal(data, &object); err != nil {
		return Definition{}, err
	}
	d, ok, err := FromObject(object)
	if !ok {
		err = errNotCRD
	}
	return d, err
}
