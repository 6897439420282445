// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"fmt"
	"regexp"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const (
	apiVersion   = "krm.timoni.sh/v1alpha1"
	kindInstance = "Instance"
)

// instanceConfig is a function config of kind Instance. The structs below it
// are the whole of what may be written there: decode refuses anything else.
type instanceConfig struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   configMetadata `json:"metadata"`
	Spec       instanceSpec   `json:"spec"`
}

// configMetadata names the instance. The other fields are kustomize's.
type configMetadata struct {
	Name              string     `json:"name"`
	Namespace         string     `json:"namespace"`
	Labels            *yaml.Node `json:"labels"`
	Annotations       *yaml.Node `json:"annotations"`
	CreationTimestamp *yaml.Node `json:"creationTimestamp"` // null, where Go code wrote the config
}

type instanceSpec struct {
	Module      moduleConfig   `json:"module"`
	Package     string         `json:"package"`
	KubeVersion string         `json:"kubeVersion"`
	Values      *yaml.Node     `json:"values"`
	ValuesFrom  []valuesConfig `json:"valuesFrom"`
}

type moduleConfig struct {
	URL     string `json:"url"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

type valuesConfig struct {
	File string `json:"file"`
}

// fieldError is what is wrong with one field of the function config.
type fieldError struct {
	field string // "spec.module.url"
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func atField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &fieldError{field, err}
}

func fieldErrorf(field, format string, args ...any) error {
	return &fieldError{field, fmt.Errorf(format, args...)}
}

// checkAPI returns an error unless config is a function config of our API.
func checkAPI(config *yaml.RNode) error {
	if config == nil || config.YNode().Kind != yaml.MappingNode {
		return errors.New("the ResourceList has no functionConfig")
	}
	if v := config.GetApiVersion(); v != apiVersion {
		return fieldErrorf("apiVersion", "%q is not %s", v, apiVersion)
	}
	return nil
}

func unknownKind(kind string) error {
	return fieldErrorf("kind", "unknown kind %q%s", kind, suggest(kind, []string{kindInstance}))
}

// check returns what is wrong with the fields that decode lets pass.
func (c *instanceConfig) check() error {
	problems := []error{checkName(c.Metadata.Name), checkNamespace(c.Metadata.Namespace)}
	if c.Spec.Module.URL == "" {
		problems = append(problems, fieldErrorf("spec.module.url", "is missing"))
	}
	for i, from := range c.Spec.ValuesFrom {
		if from.File == "" {
			problems = append(problems, fieldErrorf(fmt.Sprintf("spec.valuesFrom[%d].file", i), "is missing"))
		}
	}
	return errors.Join(problems...)
}

var (
	nameRE      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$`) // INTEROP.md, section 5
	namespaceRE = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)   // a DNS label
)

func checkName(name string) error {
	switch {
	case name == "":
		return fieldErrorf("metadata.name", "is missing: it names the instance")
	case !nameRE.MatchString(name):
		return fieldErrorf("metadata.name", "%q: at most 63 lower case letters, digits and -_. are allowed, a letter or digit first and last", name)
	}
	return nil
}

func checkNamespace(namespace string) error {
	if namespace == "" || namespaceRE.MatchString(namespace) {
		return nil
	}
	return fieldErrorf("metadata.namespace", "%q: at most 63 lower case letters, digits and - are allowed, a letter or digit first and last", namespace)
}
