// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Selector selects objects as the target of a patch in a kustomization does.
// Group, version, kind, name and namespace are regular expressions.
type Selector struct {
	Group, Version, Kind, Name, Namespace string
	Labels, Annotations                   string
}

// Rule says which objects are checked by a definition.
type Rule struct {
	regex      *types.SelectorRegex
	selector   Selector
	definition Definition
	severity   string
	message    string // in place of what CUE says; empty for none
}

// NewRule returns a rule. The error is that of a regular expression.
func NewRule(s Selector, d Definition, severity, message string) (Rule, error) {
	regex, err := types.NewSelectorRegex(&types.Selector{ResId: resid.ResId{
		Gvk: resid.Gvk{Group: s.Group, Version: s.Version, Kind: s.Kind}, Name: s.Name, Namespace: s.Namespace,
	}})
	return Rule{regex, s, d, severity, message}, err
}

func (r Rule) matches(o Object) (bool, error) {
	group, version := resid.ParseGroupVersion(o.ID.APIVersion)
	if !r.regex.MatchGvk(resid.Gvk{Group: group, Version: version, Kind: o.ID.Kind}) ||
		!r.regex.MatchName(o.ID.Name) || !r.regex.MatchNamespace(o.ID.Namespace) {
		return false, nil
	}
	if r.selector.Labels != "" {
		if ok, err := o.Node.MatchesLabelSelector(r.selector.Labels); !ok || err != nil {
			return false, err
		}
	}
	if r.selector.Annotations != "" {
		return o.Node.MatchesAnnotationSelector(r.selector.Annotations)
	}
	return true, nil
}

// Object is what rules are applied to.
type Object struct {
	Node *yaml.RNode
	ID   yaml.ResourceIdentifier
	Name string // in messages
}

// Violation is what is wrong with an object.
type Violation struct {
	Object
	Severity string
	Problem  values.Problem
	Reason   string // what CUE says, where the rule has a message of its own
}

// equals says whether two rules found the same in an object, as where one
// definition is part of the other.
func (v Violation) equals(other Violation) bool {
	return v.Severity == other.Severity && v.Problem.String() == other.Problem.String()
}

// Check applies rules to objects. What is found is in the order of the objects,
// without what Secrets hold.
func Check(rules []Rule, objects []Object) (found []Violation, err error) {
	defer values.Recover("the schema", &err)
	for _, o := range objects {
		first := len(found)
		var content map[string]any // decoded once, where a rule is for the object
		for _, r := range rules {
			ok, err := r.matches(o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.Name, err)
			}
			if !ok {
				continue
			}
			if content == nil {
				if content, err = plain(o.Node); err != nil {
					return nil, fmt.Errorf("%s: %w", o.Name, err)
				}
			}
			problems := r.definition.Check(content)
			if o.ID.Kind == "Secret" {
				problems = conceal(o.Node, problems)
			}
			for _, p := range problems {
				if v := r.violation(o, p); !slices.ContainsFunc(found[first:], v.equals) {
					found = append(found, v)
				}
			}
		}
	}
	return found, nil
}

func (r Rule) violation(o Object, p values.Problem) Violation {
	v := Violation{Object: o, Severity: r.severity, Problem: p}
	if r.message != "" {
		v.Reason, v.Problem.Message = p.Message, r.message
	}
	return v
}
