// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// bundleConfig is a function config of kind Bundle.
type bundleConfig struct {
	APIVersion string         `json:"apiVersion" schema:"required"`
	Kind       string         `json:"kind" schema:"required"`
	Metadata   configMetadata `json:"metadata" schema:"required"`
	Spec       bundleSpec     `json:"spec" schema:"required"`
}

type bundleSpec struct {
	Files       []string                  `json:"files" doc:"Bundle files of CUE, YAML or JSON in or below the directory of the kustomization, which are unified."`
	Instances   map[string]bundleInstance `json:"instances" doc:"The instances themselves, by name, instead of files."`
	Runtime     runtimeConfig             `json:"runtime" doc:"What the attributes @timoni(runtime:TYPE:NAME) of the files in CUE stand for."`
	Select      []string                  `json:"select" doc:"The instances to render, by name. Default: all."`
	KubeVersion string                    `json:"kubeVersion" doc:"The version of Kubernetes that the modules are told. Default: that of TIMONI_KUBE_VERSION."`
	Registry    registryConfig            `json:"registry" doc:"How the registry is reached."`
	Verify      verifyConfig              `json:"verify" doc:"By whom modules in a registry must be signed."`
	Output      bundleOutput              `json:"output" doc:"What becomes of the objects."`
}

type bundleInstance struct {
	Module    moduleConfig `json:"module" schema:"required" doc:"The module to render."`
	Namespace string       `json:"namespace" doc:"The namespace of the instance. Default: that of the config, then default."`
	Values    *yaml.Node   `json:"values" schema:"map" doc:"Values: maps are merged, lists replaced, null takes a value away."`
}

// runtimeConfig gives the values of a runtime. None is read from a cluster.
type runtimeConfig struct {
	Values  map[string]string `json:"values" doc:"By name. They win over the environment."`
	Env     []string          `json:"env" doc:"Names of environment variables, where TIMONI_KRM_ALLOW_ENV in the environment of the build has them."`
	Cluster clusterConfig     `json:"cluster" doc:"TIMONI_CLUSTER_NAME and TIMONI_CLUSTER_GROUP."`
}

type clusterConfig struct {
	Name  string `json:"name"`
	Group string `json:"group"`
}

type bundleOutput struct {
	SyncWaves  bool     `json:"syncWaves" doc:"Order the stages of each instance for Argo CD: the number of its stage is the sync wave of an object. Waves are common to all of an application, so that the stages of all instances go side by side."`
	OnConflict string   `json:"onConflict" schema:"Replace|Keep|Fail" doc:"What to do with an object that is among the items already. Default: Replace."`
	Hash       []string `json:"hash" doc:"Kinds, ConfigMap or Secret, to whose names kustomize is to add a hash. Only in a generator."`
	Origin     bool     `json:"origin" doc:"Say in an annotation from which module each object comes."`
	Namespaces bool     `json:"namespaces" doc:"Add the namespaces of the instances as objects, except default and those of Kubernetes."`
}

func (o bundleOutput) config() outputConfig {
	return outputConfig{SyncWaves: o.SyncWaves, OnConflict: o.OnConflict, Hash: o.Hash, Origin: o.Origin}
}

// check returns what is wrong with the fields that decode lets pass.
func (c *bundleConfig) check() error {
	spec := c.Spec
	problems := []error{
		c.Metadata.check(),
		spec.Registry.check(), spec.Output.config().check(), checkKubeVersion(spec.KubeVersion),
	}
	runtime := len(spec.Runtime.Values)+len(spec.Runtime.Env) > 0 || spec.Runtime.Cluster != clusterConfig{}
	switch {
	case len(spec.Files) > 0 && len(spec.Instances) > 0:
		problems = append(problems, fields.Errorf("spec.instances", "there are files too: a bundle is either"))
	case len(spec.Files) == 0 && len(spec.Instances) == 0:
		problems = append(problems, fields.Errorf("spec.files", "is missing, and there are no instances either"))
	case len(spec.Instances) > 0 && runtime:
		problems = append(problems, fields.Errorf("spec.runtime", "only files in CUE have a use for it, and there are instances instead"))
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Instances)) {
		field := "spec.instances." + name
		problems = append(problems, checkName(field, name))
		if spec.Instances[name].Module.URL == "" {
			problems = append(problems, fields.Errorf(field+".module.url", "is missing"))
		}
		problems = append(problems, checkNamespace(field+".namespace", spec.Instances[name].Namespace))
	}
	return errors.Join(problems...)
}

// member is one of the instances, with what explains an error in it.
type member struct {
	Instance
	subject subject
}

// bundle adds the objects of a Bundle to the list.
func (f Function) bundle(ctx context.Context, list *List, s subject) error {
	config := &bundleConfig{}
	err := fields.Decode(list.Config.YNode(), config)
	if err == nil {
		err = config.check()
	}
	output := config.Spec.Output.config()
	if err == nil {
		err = output.checkHash(list)
	}
	if err != nil {
		return list.report(s, err)
	}
	members, err := f.members(ctx, config, list.Items, &s)
	if err != nil {
		return list.report(s, err)
	}
	for _, w := range s.warnings {
		list.warn(s, w)
	}
	by := owner{bundleAnnotation, cmp.Or(config.Metadata.Namespace, f.namespace) + "/" + config.Metadata.Name}
	var all []product
	var problems []error
	made := map[yaml.ResourceIdentifier]string{}
	for i, rendered := range f.Render(ctx, instancesOf(members)) {
		m := members[i]
		if errors.Is(rendered.Err, render.ErrStopped) {
			continue
		}
		products, err := list.products(m.subject, m.Instance, rendered, output, by)
		if err != nil {
			problems = append(problems, list.report(m.subject, err))
			if ctx.Err() != nil || errors.Is(err, render.ErrLimit) {
				break
			}
			continue
		}
		for _, p := range products {
			id := identityOf(p.Object)
			if other, ok := made[id]; ok {
				problems = append(problems, list.report(m.subject, fmt.Errorf("%s is an object of the instance %q, too", describeID(id), other)))
				continue
			}
			made[id] = m.Name
		}
		all = append(all, products...)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	all = append(config.Spec.Output.spaces(list, members, made, by), all...)
	return list.add(s, all, output.OnConflict, by)
}

func instancesOf(members []member) []Instance {
	instances := make([]Instance, len(members))
	for i, m := range members {
		instances[i] = m.Instance
	}
	return instances
}

// members returns the instances that the config selects.
func (f Function) members(ctx context.Context, config *bundleConfig, items []*yaml.RNode, s *subject) ([]member, error) {
	spec := config.Spec
	var members []member
	var err error
	if len(spec.Files) > 0 {
		members, err = f.fromFiles(ctx, spec, s)
	} else {
		members, err = f.inline(config, *s)
	}
	if err != nil {
		return nil, err
	}
	for i := range members {
		m := &members[i]
		m.KubeVersion, m.Within = spec.KubeVersion, f.within(m.Module)
		if m.Access, err = f.access(ctx, spec.Registry, spec.Verify, m.Module, items); err != nil {
			return nil, fmt.Errorf("instance %q: %w", m.Name, err)
		}
	}
	return members, nil
}

// fromFiles returns the instances of bundle files.
func (f Function) fromFiles(ctx context.Context, spec bundleSpec, s *subject) ([]member, error) {
	s.files = spec.Files
	files := make([]cuefile.File, len(spec.Files))
	for i, name := range spec.Files {
		var err error
		if files[i], err = f.readBundle(ctx, name); err != nil {
			return nil, fields.At(fmt.Sprintf("spec.files[%d]", i), err)
		}
	}
	runtime, err := f.runtime(spec.Runtime)
	if err != nil {
		return nil, err
	}
	s.runtime = runtime
	b, err := render.Bounded(ctx, f.Limits, "read", "the bundle", func() (*bundle.Bundle, error) {
		return bundle.Read(bundle.Request{Files: files, Runtime: runtime, Within: repository(f.Dir)})
	})
	if err != nil {
		return nil, err
	}
	s.secret = values.HiderOf(b.Hidden)
	for _, name := range slices.Sorted(maps.Keys(spec.Runtime.Values)) {
		if !slices.Contains(b.Asked, name) {
			s.warnings = append(s.warnings, fmt.Sprintf("spec.runtime.values.%s: no @timoni(runtime:TYPE:%s) in the files asks for it%s", name, name, fail.Suggest(name, b.Asked)))
		}
	}
	selected, err := b.Select(spec.Select)
	if err != nil {
		return nil, fields.At("spec.select", err)
	}
	private := len(b.Hidden) > 0 || slices.ContainsFunc(b.Asked, func(name string) bool { return slices.Contains(spec.Runtime.Env, name) })
	var members []member
	for _, in := range selected {
		m := member{Instance{Name: in.Name, Namespace: in.Namespace, Module: in.Module, Values: in.Values, Private: private}, *s}
		m.subject.instance = in.Name
		if m.Values, err = f.origins(ctx, in, &m.subject); err != nil {
			return nil, err
		}
		if m.Module.IsLocal() {
			if err := checkModule(f.Dir, m.Module.Dir, in.Module.String()); err != nil {
				return nil, fmt.Errorf("instance %q: %w", in.Name, err)
			}
		}
		members = append(members, m)
	}
	return members, nil
}

// origins returns the values of an instance with those of the files that it
// names.
func (f Function) origins(ctx context.Context, in bundle.Instance, s *subject) ([]values.Source, error) {
	var sources []values.Source
	for _, o := range in.From {
		if o.File == "" {
			return nil, o.Explain(in.Name, fmt.Errorf("values from %s: no cluster is asked here", o.Object))
		}
		name, err := filepath.Rel(f.Dir, o.File)
		if err != nil {
			return nil, err
		}
		read, err := f.readValues(ctx, name)
		if err != nil {
			return nil, o.Explain(in.Name, err)
		}
		s.files, sources = append(slices.Clip(s.files), name), append(sources, read)
	}
	if hide, before := values.MaskSecret(sources), s.secret; len(sources) > 0 {
		s.secret = func(text string) string { return hide(before(text)) }
	}
	return append(sources, in.Values...), nil
}

// inline returns the instances of the config itself, in the order of their
// names: kustomize sorts them on the way.
func (f Function) inline(config *bundleConfig, s subject) ([]member, error) {
	names := slices.Sorted(maps.Keys(config.Spec.Instances))
	for i, name := range config.Spec.Select {
		if !slices.Contains(names, name) {
			return nil, fields.Errorf(fmt.Sprintf("spec.select[%d]", i), "the bundle has no instance %q%s", name, fail.Suggest(name, names))
		}
	}
	var members []member
	for _, name := range names {
		if len(config.Spec.Select) > 0 && !slices.Contains(config.Spec.Select, name) {
			continue
		}
		in, field := config.Spec.Instances[name], "spec.instances."+name
		module, err := f.module(in.Module, field+".module")
		if err != nil {
			return nil, err
		}
		m := member{Instance{
			Name: name, Namespace: cmp.Or(in.Namespace, config.Metadata.Namespace, f.namespace), Module: module,
		}, s}
		m.subject.instance = name
		if in.Values != nil {
			src, places, err := inlineValues(in.Values, field)
			if err != nil {
				return nil, fields.At(field+".values", err)
			}
			m.Values, m.subject.fields = append(m.Values, src), places
		}
		members = append(members, m)
	}
	return members, nil
}

// runtime returns the values that the config gives or names.
func (f Function) runtime(config runtimeConfig) (bundle.Runtime, error) {
	env, err := f.Trust.environment(config.Env)
	if err != nil {
		return nil, err
	}
	runtime := bundle.Runtime{}
	maps.Copy(runtime, env)
	maps.Copy(runtime, config.Values)
	if name := config.Cluster.Name; name != "" {
		runtime[bundle.ClusterName] = name
	}
	if group := config.Cluster.Group; group != "" {
		runtime[bundle.ClusterGroup] = group
	}
	return runtime, nil
}
