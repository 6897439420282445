// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Brings returns what the plan brings that the server cannot judge the objects
// of other instances without.
func (p *Plan) Brings() earlier.Brings {
	m := p.instance.Metadata
	b := earlier.Brings{Name: m.Name, Kinds: renderedKinds(p.request.Stages)}
	if p.newSpace {
		b.Spaces = append(b.Spaces, m.Namespace)
	}
	for _, s := range p.Steps {
		if !kinds.IsFoundation(s.Object) || !changes(s) {
			continue
		}
		b.Objects = append(b.Objects, s.Object.ID())
		if kinds.IsNamespace(s.Object) && s.Action == event.Created {
			b.Spaces = append(b.Spaces, s.Object.Name())
		}
	}
	return b
}

// definitionOf returns the identity of the CustomResourceDefinition of a
// resource.
func definitionOf(r kube.Resource) api.ID {
	return api.ID{Group: kinds.ExtensionsGroup, Kind: "CustomResourceDefinition", Name: r.Resource + "." + r.Group}
}
