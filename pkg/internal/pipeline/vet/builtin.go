// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"encoding/json"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// BuiltIns returns what the API server of a version of Kubernetes would refuse
// in objects of its own kinds, and what else may be wrong with them.
func BuiltIns(objects []Object, version string) ([]Violation, error) {
	schemas, err := builtin.Embedded()
	if err != nil {
		return nil, err
	}
	all := make([]api.Object, len(objects))
	for i, o := range objects {
		data, err := o.Node.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(data, &all[i])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	var found []Violation
	add := func(p builtin.Problem, severity string) {
		found = append(found, Violation{Object: objects[p.Index], Severity: severity, Problem: values.Problem{Path: p.Path, Message: p.Message}})
	}
	for _, p := range schemas.Check(all, version) {
		if p.Harmless {
			add(p, "warning")
		} else {
			add(p, "error")
		}
	}
	for _, p := range builtin.Unpinned(all) {
		add(p, "info")
	}
	return found, nil
}
