// SPDX-License-Identifier: Apache-2.0

// Package cel holds custom resources to the rules in CEL of their
// CustomResourceDefinitions. It is apart from package crd because of what its
// library weighs: only kubectl-timoni-mod links it.
package cel

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/validation/field"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"

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

// Check returns what is wrong with the first rule of a version that cannot be
// compiled, with its path.
func Check(version crd.Version) error {
	s, err := structural(version)
	if err != nil {
		return err
	}
	return check("openAPIV3Schema", s, true)
}

func check(path string, s *schema.Structural, isRoot bool) error {
	if s == nil {
		return nil
	}
	results, err := cel.Compile(s, model.SchemaDeclType(s, isRoot), limits.PerCallLimit,
		environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()), cel.NewExpressionsEnvLoader())
	if err != nil {
		return fmt.Errorf("%s.x-kubernetes-validations: %w", path, err)
	}
	for i, result := range results {
		if result.Error != nil {
			message, _, _ := strings.Cut(result.Error.Detail, "\n") // below it is the rule
			return fmt.Errorf("%s.x-kubernetes-validations[%d].rule: %s", path, i, message)
		}
	}
	if err = check(path+".items", s.Items, s.Items != nil && s.Items.XEmbeddedResource); err != nil {
		return err
	}
	if s.AdditionalProperties != nil {
		if err = check(path+".additionalProperties", s.AdditionalProperties.Structural, false); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		if err = check(path+".properties."+name, &property, property.XEmbeddedResource); err != nil {
			return err
		}
	}
	return nil
}

// compile returns nil when there are no rules.
func compile(version crd.Version) (*cel.Validator, error) {
	s, err := structural(version)
	if err != nil {
		return nil, err
	}
	return cel.NewValidator(s, true, limits.PerCallLimit), nil
}

// structural returns the schema of a version in the form of the API server.
func structural(version crd.Version) (*schema.Structural, error) {
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
	return schema.NewStructural(&internal)
}
