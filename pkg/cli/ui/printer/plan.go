// SPDX-License-Identifier: Apache-2.0

package printer

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
)

// plan is a saved plan as 'plan show' prints it: what it changes, without what it
// would take to apply it.
type plan struct {
	Type
	Created     string            `json:"created"` // RFC 3339
	Program     string            `json:"program"`
	ClusterUID  string            `json:"clusterUID"`        // of its namespace kube-system
	Cluster     string            `json:"cluster,omitempty"` // in the runtime
	Bundle      string            `json:"bundle,omitempty"`
	Instances   []plannedInstance `json:"instances"`
	Differences []Difference      `json:"differences"`
}

// plannedInstance is an instance of a saved plan.
type plannedInstance struct {
	Name      string     `json:"name"`
	Namespace string     `json:"namespace"`
	Module    api.Module `json:"module"`
}

// Plan returns the result of 'plan show', with the differences of the plan.
func Plan(p saved.Plan, differences []instance.Difference) any {
	result := plan{
		Type: Type{APIVersion: APIVersion, Kind: "Plan"}, Created: p.Created, Program: p.Program,
		ClusterUID: p.ClusterUID, Cluster: p.Cluster, Bundle: p.Bundle, Differences: Differences(differences),
	}
	for _, in := range p.Instances {
		result.Instances = append(result.Instances, plannedInstance{Name: in.Metadata.Name, Namespace: in.Metadata.Namespace, Module: in.Module})
	}
	return result
}
