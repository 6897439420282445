// SPDX-License-Identifier: Apache-2.0

// Package cel holds custom resources to the rules in CEL of their
// CustomResourceDefinitions. It is apart from package crd because of what its
// library weighs: only kubectl-timoni-mod links it.
package cel

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apimachinery/pkg/util/validation/field"
	limits "k8s.io/apiserver/pkg/apis/cel"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// Rules knows the rules of definitions. It is not safe for concurrent use.
type Rules struct {
	compiled map[string]rules // by CRD and version
}

// rules are those of one version of a kind.
type rules struct {
	validator *cel.Validator // nil when there are none
	err       error
}

// New returns rules that are compiled as they are needed.
func New() *Rules { return &Rules{compiled: map[string]rules{}} }

// Validate returns what the rules of the object's kind refuse when it is
// created. The object must have the structure that the CRD describes. A rule
// that cannot be compiled is a problem as well.
func (r *Rules) Validate(ctx context.Context, d crd.Definition, object api.Object) []crd.Problem {
	version, served := d.Version(object.Version())
	if !served {
		return nil // the structure has said so
	}
	name := d.Name + " " + version.Name
	problem := func(path, message string) crd.Problem {
		return crd.Problem{Object: object.ID(), Path: path, Message: message, CRD: name}
	}
	compiled, known := r.compiled[name]
	if !known {
		compiled.validator, compiled.err = compile(version)
		r.compiled[name] = compiled
	}
	if compiled.err != nil {
		return []crd.Problem{problem("", fmt.Sprintf("the schema cannot be used: %v", compiled.err))}
	}
	if compiled.validator == nil {
		return nil
	}
	found, _ := compiled.validator.Validate(ctx, nil, nil, map[string]any(version.Complete(object)), nil, limits.RuntimeCELCostBudget)
	var problems []crd.Problem
	for _, e := range found {
		path := e.Field
		if path == (*field.Path)(nil).String() {
			path = "" // the object itself
		}
		problems = append(problems, problem(path, e.Detail))
	}
	return problems
}

// compile returns nil when there are no rules.
func compile(version crd.Version) (*cel.Validator, error) {
	data, err := json.Marshal(version.Schema())
	if err != nil {
		return nil, err
	}
	var props apiextensionsv1.JSONSchemaProps
	if err = json.Unmarshal(data, &props); err != nil {
		return nil, err
	}
	var internal apiextensions.JSONSchemaProps
	if err = apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	return cel.NewValidator(structural, true, limits.PerCallLimit), nil
}
