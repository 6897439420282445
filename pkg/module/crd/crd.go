// SPDX-License-Identifier: Apache-2.0

// Package crd knows what CustomResourceDefinitions say about the objects of
// their kinds: it writes CUE definitions of them for modules to import, and
// holds objects to them as the API server would, without one. It does the same
// for the kinds of OpenAPI documents.
package crd

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// errNotCRD says that input which must hold CustomResourceDefinitions holds
// none, or one that cannot be read.
var errNotCRD = errors.New("not a CustomResourceDefinition")

// maxDepth is how deep a schema may be nested, counted in maps and lists of
// its JSON. The deepest of the prometheus-operator has about 60.
const maxDepth = 250

// Definition is what is needed of a CustomResourceDefinition.
type Definition struct {
	Name        string // metadata.name
	Group, Kind string
	Namespaced  bool
	Versions    []Version // in the order of the CRD
}

// Version is one version of a kind.
type Version struct {
	Name   string
	Served bool

	schema    map[string]any // openAPIV3Schema
	hasStatus bool           // the status is a subresource
}

// Schema returns the openAPIV3Schema, which must not be changed.
func (v Version) Schema() map[string]any { return v.schema }

// Version returns a version by its name; ok says whether there is one that the
// API server serves.
func (d Definition) Version(name string) (v Version, ok bool) {
	for _, v := range d.Versions {
		if v.Name == name && v.Served {
			return v, true
		}
	}
	return Version{}, false
}

// Parse reads YAML documents or JSON. Lists are taken apart; objects of other
// kinds are left out. The definitions are sorted by group and kind.
func Parse(data []byte) ([]Definition, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var all []Definition
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		var object any
		if err = utilyaml.Unmarshal(document, &object); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		found, err := parseObject(object)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b Definition) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	return all, nil
}

func parseObject(v any) ([]Definition, error) {
	object, _ := v.(map[string]any)
	if items, ok := object["items"].([]any); ok && strings.HasSuffix(text(object["kind"]), "List") {
		var all []Definition
		for _, item := range items {
			found, err := parseObject(item)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		return all, nil
	}
	d, ok, err := FromObject(object)
	if err != nil || !ok {
		return nil, err
	}
	return []Definition{d}, nil
}

// FromObject reads a decoded object; ok says whether it is a
// CustomResourceDefinition. The object must not be changed afterwards.
func FromObject(object map[string]any) (d Definition, ok bool, err error) {
	group, version, _ := strings.Cut(text(object["apiVersion"]), "/")
	if group != "apiextensions.k8s.io" || text(object["kind"]) != "CustomResourceDefinition" {
		return Definition{}, false, nil
	}
	spec := fields(object["spec"])
	names := fields(spec["names"])
	d = Definition{
		Name: text(fields(object["metadata"])["name"]), Group: text(spec["group"]), Kind: text(names["kind"]),
		Namespaced: spec["scope"] != "Cluster",
	}
	if version != "v1" {
		return Definition{}, true, fmt.Errorf("CustomResourceDefinition/%s: %w of apiextensions.k8s.io/v1 but of %s, which Kubernetes serves no more",
			d.Name, errNotCRD, version)
	}
	err = d.check()
	if scope := spec["scope"]; err == nil && scope != nil && scope != "Namespaced" && scope != "Cluster" {
		err = fmt.Errorf("%w: spec.scope is %q: want Namespaced or Cluster", errNotCRD, fmt.Sprint(scope))
	}
	if err != nil {
		return Definition{}, true, fmt.Errorf("CustomResourceDefinition/%s: %w", d.Name, err)
	}
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, err := parseVersion(fields(v))
		if err != nil {
			return Definition{}, true, fmt.Errorf("CustomResourceDefinition/%s: %w", d.Name, err)
		}
		d.Versions = append(d.Versions, version)
	}
	if len(d.Versions) == 0 {
		return Definition{}, true, fmt.Errorf("CustomResourceDefinition/%s: %w: it has no versions", d.Name, errNotCRD)
	}
	return d, true, nil
}

// Kinds that CUE can name; Kubernetes allows dashes too, which no known kind has.
var kindRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// check refuses what must not become a path or a name in CUE.
func (d Definition) check() error {
	if len(validation.IsDNS1123Subdomain(d.Group)) > 0 {
		return fmt.Errorf("%w: spec.group is %q", errNotCRD, d.Group)
	}
	if !kindRE.MatchString(d.Kind) || len(d.Kind) > 63 {
		return fmt.Errorf("%w: spec.names.kind is %q", errNotCRD, d.Kind)
	}
	return nil
}

func parseVersion(v map[string]any) (Version, error) {
	name := text(v["name"])
	if len(validation.IsDNS1035Label(name)) > 0 {
		return Version{}, fmt.Errorf("%w: a version is named %q", errNotCRD, name)
	}
	schema, ok := fields(v["schema"])["openAPIV3Schema"].(map[string]any)
	if !ok {
		return Version{}, fmt.Errorf("%w: version %s has no schema.openAPIV3Schema", errNotCRD, name)
	}
	if deeper(schema, maxDepth) {
		return Version{}, fmt.Errorf("%w: the schema of version %s is nested more than %d levels", errNotCRD, name, maxDepth)
	}
	_, hasStatus := fields(v["subresources"])["status"]
	return Version{Name: name, Served: v["served"] != false, schema: schema, hasStatus: hasStatus}, nil
}

// deeper says whether v is nested more than n levels.
func deeper(v any, n int) bool {
	if n < 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if deeper(e, n-1) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if deeper(e, n-1) {
				return true
			}
		}
	}
	return false
}

// text returns v if it is a string, and "" otherwise.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// fields returns v if it is an object, and an empty one otherwise.
func fields(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
