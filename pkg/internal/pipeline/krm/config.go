// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// The API of the function configs.
const (
	APIVersion   = "krm.timoni.sh/v1alpha1"
	kindInstance = "Instance"
	kindBundle   = "Bundle"
	KindVet      = "Vet"
)

// instanceConfig is a function config of kind Instance. The structs below it
// are the whole of what may be written there: decode refuses anything else.
type instanceConfig struct {
	APIVersion string         `json:"apiVersion" schema:"required"`
	Kind       string         `json:"kind" schema:"required"`
	Metadata   configMetadata `json:"metadata" schema:"required"`
	Spec       instanceSpec   `json:"spec" schema:"required"`
}

// configMetadata names the instance. The other fields are kustomize's.
type configMetadata struct {
	Name              string     `json:"name" schema:"required" doc:"The name of the instance."`
	Namespace         string     `json:"namespace" doc:"The namespace of the instance. Default: default."`
	Labels            *yaml.Node `json:"labels" schema:"map"`
	Annotations       *yaml.Node `json:"annotations" schema:"map"`
	CreationTimestamp *yaml.Node `json:"creationTimestamp"` // null, where Go code wrote the config
}

type instanceSpec struct {
	Module      moduleConfig   `json:"module" schema:"required" doc:"The module to render."`
	Package     string         `json:"package" doc:"The package of the module. Default: main."`
	KubeVersion string         `json:"kubeVersion" doc:"The version of Kubernetes that the module is told. Default: that of TIMONI_KUBE_VERSION."`
	Values      *yaml.Node     `json:"values" schema:"map" doc:"Values, merged last: maps are merged, lists replaced, null takes a value away."`
	ValuesFrom  []valuesConfig `json:"valuesFrom" doc:"Where more values are, each merged over those before."`
	Items       []streamConfig `json:"items" doc:"Objects that a transformer works on, each to be a value: merged first."`
	Registry    registryConfig `json:"registry" doc:"How the registry is reached."`
	Verify      verifyConfig   `json:"verify" doc:"By whom a module in a registry must be signed."`
	Output      outputConfig   `json:"output" doc:"What becomes of the objects."`
}

type moduleConfig struct {
	URL     string `json:"url" schema:"required" doc:"oci://REGISTRY/REPOSITORY, or file://./DIRECTORY relative to the kustomization."`
	Version string `json:"version" doc:"The tag in the registry. Default: latest."`
	Digest  string `json:"digest" doc:"What the manifest in the registry must have: sha256:…"`
}

type valuesConfig struct {
	File string     `json:"file" doc:"A file of CUE, YAML or JSON in or below the directory of the kustomization."`
	Item itemConfig `json:"item" doc:"A ConfigMap among the objects that a transformer works on."`
}

// itemConfig names a ConfigMap of the stream, as the stream has it: kustomize
// has applied namespaces and prefixes by then. Not a Secret, because errors of
// values show them.
type itemConfig struct {
	Kind      string `json:"kind" schema:"ConfigMap"`
	Name      string `json:"name" schema:"required"`
	Namespace string `json:"namespace" doc:"Needed only where two have the name."`
	Key       string `json:"key" schema:"required" doc:"The key of the data. It ends in .cue or .json, else it holds YAML."`
}

// streamConfig names an object of the stream, as the stream has it.
type streamConfig struct {
	Group     string `json:"group" doc:"Of its kind. Default: any."`
	Kind      string `json:"kind" schema:"required" doc:"Any but Secret, because errors of values show them."`
	Name      string `json:"name" schema:"required"`
	Namespace string `json:"namespace" doc:"Needed only where two have the name."`
	As        string `json:"as" doc:"The name of the value. Default: that of the object."`
}

type outputConfig struct {
	Stages     []string `json:"stages" doc:"The stages of the module to render, by name. Default: all."`
	SyncWaves  bool     `json:"syncWaves" doc:"Order the stages for Argo CD: the number of its stage is the sync wave of an object, and what is not to be pruned says so."`
	OnConflict string   `json:"onConflict" schema:"Replace|Keep|Fail" doc:"What to do with an object that is among the items already. Default: Replace."`
	Hash       []string `json:"hash" doc:"Kinds, ConfigMap or Secret, to whose names kustomize is to add a hash. Only in a generator."`
	Origin     bool     `json:"origin" doc:"Say in an annotation from which module each object comes."`
}

// checkAPI returns an error unless config is a function config of our API.
func checkAPI(config *yaml.RNode) error {
	if config == nil || config.YNode().Kind != yaml.MappingNode {
		return errors.New("the ResourceList has no functionConfig")
	}
	if v := config.GetApiVersion(); v != APIVersion && !isConfigMap(config) {
		return fields.Errorf("apiVersion", "%q is not %s", v, APIVersion)
	}
	return nil
}

// instanceOf returns the instance that a function config describes.
func instanceOf(config *yaml.RNode) (*instanceConfig, error) {
	in := &instanceConfig{}
	if isConfigMap(config) {
		var data configMap
		err := fields.Decode(config.YNode(), &data)
		if err != nil {
			return nil, err
		}
		if in, err = data.instance(); err != nil {
			return nil, err
		}
	} else if err := fields.Decode(config.YNode(), in); err != nil {
		return nil, err
	}
	err := in.check()
	return in, err
}

func unknownKind(kind string) error {
	if kind == "" {
		return fields.Errorf("kind", "is missing: it is one of %s", strings.Join(slices.Sorted(maps.Keys(kinds())), ", "))
	}
	return fields.Errorf("kind", "unknown kind %q%s", kind, fail.Suggest(kind, slices.Sorted(maps.Keys(kinds()))))
}

// check returns what is wrong with the fields that decode lets pass.
func (c *instanceConfig) check() error {
	problems := []error{c.Metadata.check()}
	if c.Spec.Module.URL == "" {
		problems = append(problems, fields.Errorf("spec.module.url", "is missing"))
	}
	problems = append(problems, checkKubeVersion(c.Spec.KubeVersion))
	for i, from := range c.Spec.ValuesFrom {
		problems = append(problems, from.check(fmt.Sprintf("spec.valuesFrom[%d]", i)))
	}
	for i, item := range c.Spec.Items {
		problems = append(problems, item.check(fmt.Sprintf("spec.items[%d]", i)))
	}
	problems = append(problems, c.Spec.Registry.check())
	return errors.Join(append(problems, c.Spec.Output.check())...)
}

func (v valuesConfig) check(field string) error {
	item := v.Item
	switch {
	case item == itemConfig{}:
		if v.File == "" {
			return fields.Errorf(field+".file", "is missing, and so is item")
		}
		return nil
	case v.File != "":
		return fields.Errorf(field, "has a file and an item: each is an entry of its own")
	case item.Kind != "" && item.Kind != "ConfigMap":
		return fields.Errorf(field+".item.kind", "%q is not ConfigMap", item.Kind)
	case item.Name == "":
		return fields.Errorf(field+".item.name", "is missing")
	case item.Key == "":
		return fields.Errorf(field+".item.key", "is missing")
	}
	return nil
}

func (c streamConfig) check(field string) error {
	switch {
	case c.Kind == "":
		return fields.Errorf(field+".kind", "is missing")
	case c.Kind == "Secret":
		return fields.Errorf(field+".kind", "a Secret is not made a value, because errors of values show them")
	case c.Name == "":
		return fields.Errorf(field+".name", "is missing")
	}
	return nil
}

func (m configMetadata) check() error {
	namespace := checkNamespace("metadata.namespace", m.Namespace)
	if m.Name == "" {
		return errors.Join(fields.Errorf("metadata.name", "is missing: it names the instance"), namespace)
	}
	return errors.Join(checkName("metadata.name", m.Name), namespace)
}

func checkName(field, name string) error {
	if err := api.CheckName(name); err != nil {
		return fields.Errorf(field, "%w", err)
	}
	return nil
}

func checkKubeVersion(version string) error {
	if version == "" {
		return nil
	}
	return fields.At("spec.kubeVersion", render.CheckKubeVersion(version))
}

func checkNamespace(field, namespace string) error {
	if namespace == "" {
		return nil
	}
	if err := api.CheckNamespace(namespace); err != nil {
		return fields.Errorf(field, "%w", err)
	}
	return nil
}
