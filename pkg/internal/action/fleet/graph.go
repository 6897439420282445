// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Graph is which instances of a bundle are applied after which, on one cluster.
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
	After     []string `json:"after,omitempty"` // which instances; without those that are before one of them
	Live      *Live    `json:"live,omitempty"`  // nil when no cluster was asked
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
	before := b.Before(b.Selected)
	for i, in := range b.Selected {
		n := nodeOf(in)
		for _, k := range nearest(before, i) {
			n.After = append(n.After, b.Selected[k].Name)
		}
		g.Instances = append(g.Instances, n)
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

// nearest returns those before an instance that are not before another one of them.
func nearest(before [][]int, i int) []int {
	var found []int
	for _, k := range before[i] {
		if !slices.ContainsFunc(before[i], func(j int) bool { return slices.Contains(before[j], k) }) {
			found = append(found, k)
		}
	}
	return found
}

func nodeOf(in bundle.Instance) Node {
	m := in.Module
	n := Node{Name: in.Name, Namespace: in.Namespace, Module: m.Source()}
	if !m.IsLocal() {
		n.Version, n.Digest = cmp.Or(m.Range, m.Tag), m.Digest
	}
	return n
}

func liveOf(r *instance.StatusReport) *Live {
	l := &Live{State: string(r.State), Ready: r.IsGood()}
	if r.State != NotInstalled && r.State != Foreign {
		l.Version = r.Module.Version
	}
	return l
}
