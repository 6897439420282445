// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// confine takes from a kustomization what kustomize would ask the network for,
// or another program.
func (x examination) confine(fs filesys.FileSystem, path string, k *types.Kustomization) {
	k.FixKustomization()
	if k.MetaData == nil && k.CheckEmpty() == nil {
		k.MetaData = &types.ObjectMeta{Name: "confined"} // what is left may be empty, which is an error
	}
	c := confinement{examination: x, fs: fs, path: path}
	c.locals("resources", &k.Resources)
	c.locals("components", &k.Components)
	c.locals(generators, &k.Generators)
	c.locals(transformers, &k.Transformers)
	c.locals(validators, &k.Validators)
	one := func(file string) []string { return []string{file} }
	files(c, "crds", &k.Crds, one)
	files(c, "configurations", &k.Configurations, one)
	patch := func(p types.Patch) []string { return []string{p.Path} }
	files(c, "patches", &k.Patches, patch)
	//lint:ignore SA1019 kustomize still reads it
	files(c, "patchesJson6902", &k.PatchesJson6902, patch)
	//lint:ignore SA1019 kustomize still reads it
	files(c, "patchesStrategicMerge", &k.PatchesStrategicMerge, func(p types.PatchStrategicMerge) []string { return one(string(p)) })
	files(c, "replacements", &k.Replacements, func(r types.ReplacementField) []string { return []string{r.Path} })
	files(c, "configMapGenerator", &k.ConfigMapGenerator, func(g types.ConfigMapArgs) []string { return append(g.FileSources, g.EnvSources...) })
	files(c, "secretGenerator", &k.SecretGenerator, func(g types.SecretArgs) []string { return append(g.FileSources, g.EnvSources...) })
	if isAddress(k.OpenAPI["path"]) {
		c.drop("openapi", k.OpenAPI["path"])
		delete(k.OpenAPI, "path")
	}
	for _, chart := range k.HelmCharts {
		c.drop("helmCharts", chart.Name)
	}
	k.HelmCharts, k.HelmGlobals = nil, nil
}

type confinement struct {
	examination
	fs   filesys.FileSystem
	path string // of the kustomization
}

func (c confinement) drop(field, what string) { c.unseen(c.path, field, what) }

// locals leaves of a list those entries that are written in it, or that are on
// disk, which they say in a way that is no address.
func (c confinement) locals(field string, entries *[]string) {
	var kept []string
	for _, entry := range *entries {
		at := entry
		if !filepath.IsAbs(at) {
			at = filepath.Join(filepath.Dir(c.path), entry)
		}
		_, _, err := c.fs.CleanedAbs(at)
		switch {
		case strings.ContainsAny(entry, "\n{"): // a config
			kept = append(kept, entry)
		case err != nil || isAddress(entry):
			c.drop(field, entry)
		case filepath.IsAbs(entry), strings.HasPrefix(entry, "."):
			kept = append(kept, entry)
		default:
			kept = append(kept, "./"+entry)
		}
	}
	*entries = kept
}

// files leaves those entries that name files on disk.
func files[T any](c confinement, field string, entries *[]T, named func(T) []string) {
	*entries = slices.DeleteFunc(*entries, func(entry T) bool {
		i := slices.IndexFunc(named(entry), isAddress)
		if i >= 0 {
			c.drop(field, named(entry)[i])
		}
		return i >= 0
	})
}

// isAddress says whether kustomize fetches a file, which in a generator of
// ConfigMaps has a key in front.
func isAddress(file string) bool {
	_, value, _ := strings.Cut(file, "=")
	return slices.ContainsFunc([]string{file, value}, func(part string) bool {
		u, err := url.Parse(part)
		return err == nil && (u.Scheme == "http" || u.Scheme == "https")
	})
}

// foreignFile returns what a transformer or generator of kustomize's own would
// fetch.
func foreignFile(config *yaml.RNode, kind string) string {
	if kind == "HelmChartInflationGenerator" {
		return kind
	}
	var found string
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && isAddress(n.Value) {
			found = n.Value
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(config.YNode())
	return found
}
