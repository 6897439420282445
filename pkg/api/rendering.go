// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/json"
)

// Rendering is what an instance was rendered to, as it is kept in JSON: it can be
// applied, and waited for, without its module. The objects are as the module made
// them, before an apply gives them owner labels. It may hold Secrets.
type Rendering struct {
	Stages []Stage       `json:"stages"`
	Checks []HealthCheck `json:"healthChecks,omitempty"`
	// Spaces are the namespaces of the instances in a kustomization, which an
	// apply creates.
	Spaces []string `json:"namespaces,omitempty"`
}

// Stage is a named set of objects that is applied, and becomes ready, before
// the next.
type Stage struct {
	Name    string   `json:"name"`
	Objects []Object `json:"objects"`
}

// HealthCheck is one of a module's health checks, as CUE that needs no package.
type HealthCheck struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	Kind  string `json:"kind,omitempty"` // empty for every kind of the group
	CUE   string `json:"cue"`
}

// ParseRendering reads a rendering from its JSON. An error quotes nothing of it.
func ParseRendering(data []byte) (Rendering, error) {
	var r Rendering
	if err := json.Unmarshal(data, &r); err != nil { // keeps integers
		return Rendering{}, fmt.Errorf("%d bytes are not the JSON of a rendering", len(data))
	}
	return r, nil
}
