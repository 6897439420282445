// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// bundleOutcome is what was done with an object of an instance of a bundle.
type bundleOutcome struct {
	printer.Outcome
	Instance instanceName `json:"instance"`
}

// instanceName names an instance on a cluster.
type instanceName struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster,omitempty"`
}

// bundleResult is what a run on a bundle came to on one cluster.
type bundleResult struct {
	printer.Object
	Cluster   string           `json:"cluster,omitempty"`
	Group     string           `json:"group,omitempty"`
	State     fleet.State      `json:"state"`
	Message   string           `json:"message,omitempty"` // why it failed
	Instances []instanceResult `json:"instances"`
}

// instanceResult is how far an instance of a bundle has come.
type instanceResult struct {
	Name      string               `json:"name"`
	Namespace string               `json:"namespace"`
	State     fleet.State          `json:"state"`
	Message   string               `json:"message,omitempty"` // why it failed
	Objects   map[event.Action]int `json:"objects"`           // their number by what was done
}

// outcomesIn returns what was done with the objects of an instance.
func outcomesIn(cluster string, key instance.Key, outcomes []event.Outcome) []any {
	var list []any
	for _, o := range printer.Outcomes(outcomes) {
		list = append(list, bundleOutcome{o, instanceName{key.Name, key.Namespace, cluster}})
	}
	return list
}

// resultOf returns the result of 'bundle apply' for a program: the outcomes of
// all objects and then, unless names alone are printed, a result for each
// cluster.
func resultOf(all []*fleet.Applied, names bool) []any {
	var list []any
	for _, a := range all {
		for _, in := range a.Instances {
			list = append(list, outcomesIn(a.Cluster.Name, in.Key, in.Outcomes)...)
		}
	}
	if names {
		return list
	}
	for _, a := range all {
		list = append(list, clusterResult(a))
	}
	return list
}

func clusterResult(a *fleet.Applied) bundleResult {
	r := bundleResult{
		Object:  printer.Object{Type: printer.Type{APIVersion: printer.APIVersion, Kind: "BundleResult"}, Metadata: printer.Metadata{Name: a.Bundle}},
		Cluster: a.Cluster.Name, Group: a.Cluster.Group, State: a.State, Message: messageOf(a.Err), Instances: []instanceResult{},
	}
	for _, in := range a.Instances {
		result := instanceResult{Name: in.Name, Namespace: in.Namespace, State: in.State, Message: messageOf(in.Err), Objects: map[event.Action]int{}}
		for _, o := range in.Outcomes {
			result.Objects[o.Action]++
		}
		r.Instances = append(r.Instances, result)
	}
	return r
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
