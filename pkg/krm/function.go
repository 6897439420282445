// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/values"
)

// defaultNamespace is the namespace of an instance whose config names none.
const defaultNamespace = "default"

// Instance is what a function config asks to be rendered.
type Instance struct {
	Name, Namespace string
	Module          ref.Reference // a local one is relative to the working directory of the process
	Package         string        // empty: the module's main package
	KubeVersion     string        // empty: not said
	Values          []values.Source
}

// Function carries out function configs.
type Function struct {
	// Dir is the base directory: files are named relative to it and lie below
	// it. It is the root of the kustomization, in which kustomize starts a
	// function.
	Dir string
	// Render renders an instance.
	Render func(context.Context, Instance) (*render.Result, error)
}

// Run does what the list's function config asks for, and puts what it has to
// say into the list's results. After an error, whose text is that of the results,
// a ResourceList holds the items that it came with, a stream none; either can be
// written all the same.
func (f Function) Run(ctx context.Context, list *List) error {
	if err := checkAPI(list.Config); err != nil {
		return list.report(subject{}, err)
	}
	list.dropPlaceholder()
	id := identify(list.Config)
	s := subject{ref: &id}
	if id.Kind == kindInstance || isConfigMap(list.Config) {
		return f.instance(ctx, list, s)
	}
	return list.report(s, unknownKind(id.Kind))
}

// instance adds the objects of an Instance to the list.
func (f Function) instance(ctx context.Context, list *List, s subject) error {
	config, err := instanceOf(list.Config)
	if err != nil {
		return list.report(s, err)
	}
	if len(config.Spec.Output.Hash) > 0 && len(list.Items) > 0 {
		return list.report(s, fieldErrorf("spec.output.hash", "only kustomize adds hashes, and only to the objects of a generator: list this config under generators:"))
	}
	in, err := f.resolve(config, list.Items, &s)
	if err != nil {
		return list.report(s, err)
	}
	result, err := f.Render(ctx, in)
	if err != nil {
		return list.report(s, err)
	}
	for _, warning := range result.Warnings {
		list.warn(s, warning)
	}
	items, err := produce(config, result, list.areFiles(), in)
	if err != nil {
		return list.report(s, err)
	}
	before := slices.Clone(list.Items)
	if err := list.merge(items, config.Spec.Output.OnConflict, in.Namespace+"/"+in.Name); err != nil {
		list.Items = before
		return list.report(s, err)
	}
	return nil
}

// produce returns the items that the config asks for from what was rendered.
func produce(config *instanceConfig, result *render.Result, files bool, in Instance) ([]*yaml.RNode, error) {
	objects, err := config.Spec.Output.objects(result)
	if err != nil {
		return nil, err
	}
	items, err := parse(objects)
	if err != nil {
		return nil, err
	}
	owner := ""
	if files {
		owner = in.Namespace + "/" + in.Name
	}
	for _, item := range items {
		if err := config.Spec.Output.annotate(item, owner, in.Module.String()); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// resolve reads what the config names. What is needed to explain an error in
// it goes into s.
func (f Function) resolve(config *instanceConfig, items []*yaml.RNode, s *subject) (Instance, error) {
	module, err := f.module(config.Spec.Module)
	if err != nil {
		return Instance{}, err
	}
	in := Instance{
		Name:      config.Metadata.Name,
		Namespace: cmp.Or(config.Metadata.Namespace, defaultNamespace),
		Module:    module, Package: config.Spec.Package, KubeVersion: config.Spec.KubeVersion,
	}
	for i, from := range config.Spec.ValuesFrom {
		field := fmt.Sprintf("spec.valuesFrom[%d]", i)
		var src values.Source
		if from.File != "" {
			s.files = append(s.files, from.File)
			src, err = readValues(f.Dir, from.File)
			err = atField(field+".file", err)
		} else {
			src, err = from.Item.values(items)
			err = atField(field+".item", err)
		}
		if err != nil {
			return Instance{}, err
		}
		in.Values = append(in.Values, src)
	}
	if config.Spec.Values != nil {
		src, fields, err := inlineValues(config.Spec.Values)
		if err != nil {
			return Instance{}, atField("spec.values", err)
		}
		in.Values = append(in.Values, src)
		s.fields = fields
	}
	return in, nil
}

// module returns the reference that a config means.
func (f Function) module(config moduleConfig) (ref.Reference, error) {
	r, err := ref.Parse(config.URL)
	if err != nil {
		return r, atField("spec.module.url", err)
	}
	if !r.IsLocal() {
		r, err = r.Select(config.Version, config.Digest)
		return r, atField("spec.module", err)
	}
	if config.Version != "" {
		return r, fieldErrorf("spec.module.version", "the module %q is a directory, which has no version", r)
	}
	if config.Digest != "" {
		return r, fieldErrorf("spec.module.digest", "the module %q is a directory, which has no digest", r)
	}
	r.Dir, err = moduleDir(f.Dir, r.Dir)
	return r, atField("spec.module.url", err)
}
