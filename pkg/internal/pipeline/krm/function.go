// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
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
	Access          Access
	Within          string // what no file of a local module leaves through a link
	Private         bool   // the values are of the environment: nothing of them is kept
}

// Function carries out function configs.
type Function struct {
	// Dir is the base directory: files are named relative to it and lie below
	// it. It is the root of the kustomization, in which kustomize starts a
	// function. A package of kpt's below it stands in for it.
	Dir string
	// Objects is the directory to which the items' files are relative; empty: the
	// working directory of the process.
	Objects string
	// Render renders instances. The outcomes are in their order.
	Render func(context.Context, []Instance) []render.Outcome
	// Fetch makes the content of an artifact available in a directory, as long
	// as the function runs.
	Fetch func(context.Context, ref.Reference, Access) (dir string, err error)
	// Trust is what the config may do beyond its directory.
	Trust Trust
	// Limits bound the evaluation of a bundle or a policy.
	Limits render.Limits
	// Explain adds hints and exit codes to errors of what the function calls, nil
	// for none.
	Explain func(error) error

	namespace string // of instances whose config names none
}

// Run does what the list's function config asks for, and puts what it has to
// say into the list's results. After an error, whose text is that of the results,
// a ResourceList holds the items that it came with, a stream none; either can be
// written all the same.
func (f Function) Run(ctx context.Context, list *List) (err error) {
	list.explain = f.Explain
	id := identify(list.Config)
	var s subject
	if describeID(id) != "" {
		s.ref = &id
	}
	defer func() {
		if reason := recover(); reason != nil {
			list.Items, list.made = nil, nil // they may be what cannot be written
			err = list.report(s, fmt.Errorf("internal error: %v", reason))
		}
	}()
	if err := checkAPI(list.Config); err != nil {
		return list.report(s, err)
	}
	list.dropPlaceholder()
	f.Dir = list.packageDir(f.Dir)
	f.namespace = cmp.Or(list.givenNamespace(), defaultNamespace)
	switch {
	case id.Kind == kindInstance, isConfigMap(list.Config):
		return f.instance(ctx, list, s)
	case id.Kind == kindBundle:
		return f.bundle(ctx, list, s)
	case id.Kind == KindVet:
		return f.vet(ctx, list, s)
	}
	return list.report(s, unknownKind(id.Kind))
}

// instance adds the objects of an Instance to the list.
func (f Function) instance(ctx context.Context, list *List, s subject) error {
	config, err := instanceOf(list.Config)
	if err != nil {
		return list.report(s, err)
	}
	if err = config.Spec.Output.checkHash(list); err != nil {
		return list.report(s, err)
	}
	in, err := f.resolve(ctx, config, list.Items, &s)
	if err != nil {
		return list.report(s, err)
	}
	by := owner{ownerAnnotation, in.Namespace + "/" + in.Name}
	rendered := f.Render(ctx, []Instance{in})[0]
	products, err := list.products(s, in, rendered, config.Spec.Output, by)
	if err != nil {
		return list.report(s, err)
	}
	return list.add(s, products, config.Spec.Output.OnConflict, by)
}

// products returns what the config asks for of a rendered instance.
func (l *List) products(s subject, in Instance, rendered render.Outcome, output outputConfig, by owner) ([]product, error) {
	if rendered.Err != nil {
		return nil, rendered.Err
	}
	for _, warning := range slices.Concat(rendered.Result.Warnings, rendered.Result.ScopeWarnings) {
		l.warn(s, warning)
	}
	objects, err := output.objects(rendered.Result)
	if err != nil {
		return nil, err
	}
	warnings, err := cleanAnnotations(objects)
	if err != nil {
		return nil, err
	}
	for _, warning := range warnings {
		l.warn(s, warning)
	}
	products := make([]product, len(objects))
	files := l.areFiles()
	for i, o := range objects {
		products[i] = output.product(o, by, in.Module.String(), files)
	}
	return products, nil
}

// add puts the objects into the list, all of them or none. Those that nothing is
// to be merged with or written into become text without being items before.
func (l *List) add(s subject, products []product, onConflict string, by owner) error {
	annotated := slices.ContainsFunc(products, func(p product) bool { return len(p.annotations) > 0 })
	if len(l.Items) == 0 && !annotated && l.givenNamespace() == "" {
		l.make(products)
		return nil
	}
	before := slices.Clone(l.Items)
	if err := l.merge(products, onConflict, by); err != nil {
		l.Items = before
		return l.report(s, err)
	}
	return nil
}

// resolve reads what the config names. What is needed to explain an error in
// it goes into s.
func (f Function) resolve(ctx context.Context, config *instanceConfig, items []*yaml.RNode, s *subject) (Instance, error) {
	module, err := f.module(config.Spec.Module, "spec.module")
	if err != nil {
		return Instance{}, err
	}
	in := Instance{
		Name:      config.Metadata.Name,
		Namespace: cmp.Or(config.Metadata.Namespace, f.namespace),
		Module:    module, Within: f.within(module), Package: config.Spec.Package, KubeVersion: config.Spec.KubeVersion,
	}
	if in.Access, err = f.access(ctx, config.Spec.Registry, config.Spec.Verify, module, items); err != nil {
		return Instance{}, err
	}
	for i, item := range config.Spec.Items {
		src, err := item.values(items)
		if err != nil {
			return Instance{}, fields.At(fmt.Sprintf("spec.items[%d]", i), err)
		}
		in.Values = append(in.Values, src)
	}
	for i, from := range config.Spec.ValuesFrom {
		src, err := f.valuesFrom(ctx, from, fmt.Sprintf("spec.valuesFrom[%d]", i), items, s)
		if err != nil {
			return Instance{}, err
		}
		in.Values = append(in.Values, src)
	}
	if config.Spec.Values != nil {
		src, places, err := inlineValues(config.Spec.Values, "spec")
		if err != nil {
			return Instance{}, fields.At("spec.values", err)
		}
		in.Values = append(in.Values, src)
		s.fields = places
	}
	s.secret = values.MaskSecret(in.Values)
	return in, nil
}

func (f Function) valuesFrom(ctx context.Context, from valuesConfig, field string, items []*yaml.RNode, s *subject) (values.Source, error) {
	if from.File == "" {
		src, err := from.Item.values(items)
		return src, fields.At(field+".item", err)
	}
	s.files = append(s.files, from.File)
	src, err := f.readValues(ctx, from.File)
	return src, fields.At(field+".file", err)
}

// within returns the directory that no file of a module leaves, "" where
// there are no links.
func (f Function) within(module ref.Reference) string {
	if !module.IsLocal() {
		return ""
	}
	return repository(f.Dir)
}

// module returns the reference that a config means.
func (f Function) module(config moduleConfig, field string) (ref.Reference, error) {
	r, err := ref.Parse(config.URL)
	if err != nil {
		return r, fields.At(field+".url", err)
	}
	if !r.IsLocal() {
		if r, err = r.Select(config.Version, ""); err != nil {
			return r, fields.At(field+".version", err)
		}
		r, err = r.Select("", config.Digest)
		return r, fields.At(field+".digest", err)
	}
	if config.Version != "" {
		return r, fields.Errorf(field+".version", "the module %q is a directory, which has no version", r)
	}
	if config.Digest != "" {
		return r, fields.Errorf(field+".digest", "the module %q is a directory, which has no digest", r)
	}
	r.Dir, err = moduleDir(f.Dir, r.Dir)
	return r, fields.At(field+".url", err)
}
