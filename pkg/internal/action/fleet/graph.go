// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Graph is which instances of a bundle depend on which, on one cluster.
type Graph struct {
	Cluster   string `json:"cluster,omitempty"`
	Group     string `json:"group,omitempty"`
	Bundle    string `json:"bundle"`
	Instances []Node `json:"instances"` // in the order in which they are applied
}

// Node is an instance in a graph.
type Node struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Module    string   `json:"module"`            // where it comes from
	Version   string   `json:"version,omitempty"` // that the files ask for
	Digest    string   `json:"digest,omitempty"`
	DependsOn []string `json:"dependsOn,omitempty"`
	Live      *Live    `json:"live,omitempty"` // nil when no cluster was asked
}

// Live is an instance as it is in the cluster.
type Live struct {
	State   string `json:"state"`
	Version string `json:"version,omitempty"`
	Ready   bool   `json:"ready"`
}

// NewGraph returns the graph of the selected instances, with their state in the
// cluster if that is asked for. No module and no values of instances are read.
func NewGraph(ctx context.Context, site Site, req Request, live bool, observer event.Observer) (*Graph, error) {
	req.namesOnly = true
	b, err := Load(ctx, site, req)
	if err != nil {
		return nil, err
	}
	g := &Graph{Cluster: site.Name, Group: site.Group, Bundle: b.Name}
	for _, in := range b.Selected {
		g.Instances = append(g.Instances, nodeOf(in))
	}
	if !live {
		return g, nil
	}
	reports, err := Status(ctx, site, Target{Request: req}, observer)
	if err != nil {
		return nil, err
	}
	for i, r := range reports {
		g.Instances[i].Live = liveOf(r)
	}
	return g, nil
}

func nodeOf(in bundle.Instance) Node {
	m := in.Module
	n := Node{Name: in.Name, Namespace: in.Namespace, Module: m.Source(), DependsOn: in.DependsOn}
	if !m.IsLocal() {
		n.Version, n.Digest = cmp.Or(m.Range, m.Tag), m.Digest
	}
	return n
}

func liveOf(r *instance.StatusReport) *Live {
	l := &Live{State: string(r.State), Ready: r.IsGood()}
	if r.State != NotInstalled {
		l.Version = r.Module.Version
	}
	return l
}
