// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
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

// fields names what in the data stands for a field of an Instance.
func (configMapData) fields() [][2]string {
	return [][2]string{
		{"metadata.name", "data.name"}, {"metadata.namespace", "data.namespace"},
		{"spec.module.url", "data.module"}, {"spec.module.version", "data.version"}, {"spec.module.digest", "data.digest"},
		{"spec.package", "data.package"}, {"spec.kubeVersion", "data.kubeVersion"},
		{"spec.valuesFrom[0].file", "data.valuesFile"}, {"spec.values", "data.values"},
		{"spec.output.onConflict", "data.onConflict"},
	}
}

// rename makes a result about a field of an Instance one about the data.
func (d configMapData) rename(r *Result) {
	if r.Field == nil {
		return
	}
	for _, names := range d.fields() {
		rest, found := strings.CutPrefix(r.Field.Path, names[0])
		if found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			r.Message = strings.Replace(r.Message, r.Field.Path, names[1]+rest, 1)
			r.Field = &Field{names[1] + rest}
			return
		}
	}
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
		problems = append(problems, fields.Errorf("data.name", "is missing: it names the instance"))
	}
	if d.Module == "" {
		problems = append(problems, fields.Errorf("data.module", "is missing: it is the URL of the module"))
	}
	if d.Values != "" {
		var doc yaml.Node
		err := yaml.Unmarshal([]byte(d.Values), &doc)
		budget := maxNodes
		switch {
		case err != nil:
			problems = append(problems, fields.At("data.values", hidden(err)))
		case len(doc.Content) == 0: // only a comment
		case !expand(doc.Content[0], &budget):
			problems = append(problems, fields.Errorf("data.values", "it is too large, or an alias in it stands for what contains it"))
		default:
			in.Spec.Values = doc.Content[0]
		}
	}
	return in, errors.Join(problems...)
}
