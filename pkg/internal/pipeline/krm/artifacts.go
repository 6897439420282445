// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/document"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// Artifact is an artifact in a registry that a function config names.
type Artifact struct {
	Path      []string // of the map that has its url, version and digest
	Reference ref.Reference
	Access    Access
	IsModule  bool // the other ones hold definitions

	URL, Version, Digest string // as they are written, empty for what is missing
}

// Field returns the path in the words of an error.
func (a Artifact) Field() string { return strings.Join(a.Path, ".") }

// Artifacts are what a function config names in registries.
type Artifacts struct {
	Config string // Instance/web; empty for a document that is no function config
	List   []Artifact
	Files  []string // of bundles, which may name more
}

// Artifacts returns what a document in YAML names if it is a function config.
func (f Function) Artifacts(ctx context.Context, data []byte) (found Artifacts, err error) {
	config, err := yaml.Parse(string(data))
	if errors.Is(err, io.EOF) {
		return found, nil // it is empty
	}
	if err == nil {
		if wrong := document.Check(config.YNode()); wrong != nil {
			err = wrong
		}
	}
	if err != nil {
		return found, fail.Invalid(err)
	}
	if config.GetApiVersion() != APIVersion {
		return found, nil
	}
	found.Config = config.GetKind() + "/" + config.GetName()
	add := func(m moduleConfig, verify verifyConfig, isModule bool, path ...string) {
		var a Artifact
		if err == nil {
			a, err = f.named(ctx, m, verify, path)
		}
		if a.IsModule = isModule; err == nil && !a.Reference.IsLocal() {
			found.List = append(found.List, a)
		}
	}
	switch kind := config.GetKind(); kind {
	case kindInstance:
		in, wrong := instanceOf(config)
		if wrong != nil {
			return found, wrong
		}
		add(in.Spec.Module, in.Spec.Verify, true, "spec", "module")
	case kindBundle:
		c := &bundleConfig{}
		if err = cmp.Or(fields.Decode(config.YNode(), c), c.check()); err != nil {
			return found, err
		}
		found.Files = c.Spec.Files
		for _, name := range slices.Sorted(maps.Keys(c.Spec.Instances)) {
			add(c.Spec.Instances[name].Module, c.Spec.Verify, true, "spec", "instances", name, "module")
		}
	case KindVet:
		c := &vetConfig{}
		if err = fields.Decode(config.YNode(), c); err != nil {
			return found, err
		}
		if s := c.Spec.Schema; s.URL != "" {
			add(moduleConfig{s.URL, s.Version, s.Digest}, c.Spec.Verify, false, "spec", "schema")
		}
	default:
		return found, unknownKind(kind)
	}
	return found, err
}

func (f Function) named(ctx context.Context, m moduleConfig, verify verifyConfig, path []string) (Artifact, error) {
	a := Artifact{Path: path, URL: m.URL, Version: m.Version, Digest: m.Digest}
	var err error
	if a.Reference, err = f.module(m, a.Field()); err != nil || a.Reference.IsLocal() {
		return a, err
	}
	a.Access, err = f.access(ctx, registryConfig{}, verify, a.Reference, nil)
	return a, err
}
