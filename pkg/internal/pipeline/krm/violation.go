// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/vet"
)

// violations returns what is wrong with the items, in their order, and with what
// lists among them hold.
func (f Function) violations(rules []vet.Rule, kubernetes string, items []*yaml.RNode) ([]Result, error) {
	var objects []vet.Object
	for _, list := range items {
		all, err := vet.Members(list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", describeID(identify(list)), err)
		}
		for _, item := range all {
			id := identify(item)
			objects = append(objects, vet.Object{Node: item, ID: id, Name: describeID(id)})
		}
	}
	found, err := vet.Check(rules, objects)
	if err == nil && kubernetes != "" {
		var more []vet.Violation
		more, err = vet.BuiltIns(objects, kubernetes)
		found = append(found, more...)
	}
	var results []Result
	for _, v := range found {
		results = append(results, f.violation(v))
	}
	return results, err
}

// violation returns a problem of an object's as a result.
func (f Function) violation(v vet.Violation) Result {
	r := Result{Severity: Severity(v.Severity), ResourceRef: &v.ID, Message: v.Name + ": " + v.Problem.String()}
	r.pointTo(v.Problem.Path)
	if v.Reason != "" {
		r.tag("reason", v.Reason)
	}
	if path, index := vet.FileOf(v.Node, f.Dir, f.Objects); path != "" {
		r.File = &File{path, index}
		head, rest, more := strings.Cut(r.Message, "\n")
		r.Message = head + "\n    in " + path
		if more {
			r.Message += "\n" + rest
		}
	}
	return r
}
