// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"
)

// The control plane of the tests pins the version of Kubernetes, and has the
// modules that its programs import.
const (
	kubernetesModule = "../controlplane/kubernetes"
	modelsProgram    = "k8s.io/kubernetes/pkg/generated/openapi/cmd/models-schema"
)

// definition is a schema of OpenAPI v2.
type definition = map[string]any

type document struct {
	Definitions map[string]definition `json:"definitions"`
}

// openAPI returns an archive with the schemas of the kinds of Kubernetes: a file
// for each Go package, in which a line is the name of a definition and, after a
// space, its schema of OpenAPI v2; and the file kinds, which says of each
// apiVersion and kind which definition is its own. It is called in this directory.
func openAPI() ([]byte, error) {
	published, err := publishedOpenAPI()
	if err != nil {
		return nil, err
	}
	// What Kubernetes publishes has the kinds, its source the enumerations.
	models, err := decodeOpenAPI(goOutput("run", modelsProgram))
	if err != nil {
		return nil, err
	}
	kinds, needed := kindsOf(published), map[string]bool{}
	packages := map[string]map[string]definition{}
	var need func(name string)
	need = func(name string) {
		if needed[name] {
			return
		}
		needed[name] = true
		bare, _ := strip(models[name]).(definition)
		for _, reference := range references(bare) {
			need(reference)
		}
		in := name[:strings.LastIndex(name, ".")]
		if packages[in] == nil {
			packages[in] = map[string]definition{}
		}
		packages[in][name] = bare
	}
	var index strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&index, "%s %s\n", kind, kinds[kind])
		need(kinds[kind])
	}
	tree := fstest.MapFS{"kinds": {Data: []byte(index.String())}}
	for in, definitions := range packages {
		var lines strings.Builder
		for _, name := range slices.Sorted(maps.Keys(definitions)) {
			data, err := json.Marshal(definitions[name])
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&lines, "%s %s\n", name, data)
		}
		tree[in] = &fstest.MapFile{Data: []byte(lines.String())}
	}
	return pack(tree)
}

func publishedOpenAPI() (map[string]definition, error) {
	dir, err := goOutput("list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	return decodeOpenAPI(os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "api", "openapi-spec", "swagger.json")))
}

func decodeOpenAPI(data []byte, err error) (map[string]definition, error) {
	var d document
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	return d.Definitions, err
}

func goOutput(args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = kubernetesModule, &stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return data, nil
}

// kindsOf returns the names of the definitions of the kinds, by apiVersion and
// kind: of those that have metadata, and are of one kind. That leaves out
// options and parts of the discovery, which each group has.
func kindsOf(definitions map[string]definition) map[string]string {
	kinds := map[string]string{}
	for name, d := range definitions {
		of, _ := d["x-kubernetes-group-version-kind"].([]any)
		properties, _ := d["properties"].(map[string]any)
		if len(of) != 1 || properties["metadata"] == nil || strings.HasPrefix(name, "io.k8s.apimachinery.") {
			continue
		}
		gvk, _ := of[0].(map[string]any)
		version := strings.TrimPrefix(fmt.Sprintf("%s/%s", gvk["group"], gvk["version"]), "/")
		if kind := fmt.Sprint(gvk["kind"]); kind != "Scale" { // a subresource
			kinds[version+" "+kind] = name
		}
	}
	return kinds
}

// strip returns a copy of a schema without what no value is judged by.
func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		bare := map[string]any{}
		for keyword, e := range v {
			switch keyword {
			case "description", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy", "x-kubernetes-map-type",
				"x-kubernetes-unions", "x-kubernetes-group-version-kind":
			case "properties":
				properties := map[string]any{}
				named, _ := e.(map[string]any)
				for name, property := range named {
					properties[name] = strip(property)
				}
				bare[keyword] = properties
			default:
				bare[keyword] = strip(e)
			}
		}
		return bare
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = strip(e)
		}
		return list
	}
	return v
}

// references returns the names of the definitions that a schema refers to.
func references(v any) []string {
	var names []string
	switch v := v.(type) {
	case map[string]any:
		for keyword, e := range v {
			if name, ok := e.(string); ok && keyword == "$ref" {
				names = append(names, strings.TrimPrefix(name, "#/definitions/"))
				continue
			}
			names = append(names, references(e)...)
		}
	case []any:
		for _, e := range v {
			names = append(names, references(e)...)
		}
	}
	return names
}
