// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// configMap is a function config of kind ConfigMap, which 'kpt fn eval -- a=b'
// makes of its arguments.
type configMap struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   configMetadata `json:"metadata"`
	Data       configMapData  `json:"data"`
}

// configMapData stands for an Instance. The name is here and not in metadata,
// where kpt writes one of its own.
type configMapData struct {
	Name        string `json:"name"`
	Namespace   string `json:"namespace"`
	Module      string `json:"module"` // its URL
	Version     string `json:"version"`
	Digest      string `json:"digest"`
	Package     string `json:"package"`
	KubeVersion string `json:"kubeVersion"`
	ValuesFile  string `json:"valuesFile"`
	Values      string `json:"values"` // YAML or JSON
	OnConflict  string `json:"onConflict"`
}

func isConfigMap(config *yaml.RNode) bool {
	return config.GetApiVersion() == "v1" && config.GetKind() == "ConfigMap"
}

// instance returns the Instance that the data stand for.
func (c *configMap) instance() (*instanceConfig, error) {
	d := c.Data
	in := &instanceConfig{
		Metadata: configMetadata{Name: d.Name, Namespace: d.Namespace},
		Spec: instanceSpec{
			Module:  moduleConfig{URL: d.Module, Version: d.Version, Digest: d.Digest},
			Package: d.Package, KubeVersion: d.KubeVersion,
			Output: outputConfig{OnConflict: d.OnConflict},
		},
	}
	if d.ValuesFile != "" {
		in.Spec.ValuesFrom = []valuesConfig{{File: d.ValuesFile}}
	}
	var problems []error
	if d.Name == "" {
		problems = append(problems, fieldErrorf("data.name", "is missing: it names the instance"))
	}
	if d.Module == "" {
		problems = append(problems, fieldErrorf("data.module", "is missing: it is the URL of the module"))
	}
	if d.Values != "" {
		var doc yaml.Node
		err := yaml.Unmarshal([]byte(d.Values), &doc)
		budget := maxNodes
		switch {
		case err != nil:
			problems = append(problems, atField("data.values", err))
		case len(doc.Content) == 0: // only a comment
		case !expand(doc.Content[0], &budget):
			problems = append(problems, fieldErrorf("data.values", "it is too large, or an alias in it stands for what contains it"))
		default:
			in.Spec.Values = doc.Content[0]
		}
	}
	return in, errors.Join(problems...)
}
