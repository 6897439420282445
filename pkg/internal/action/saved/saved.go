// SPDX-License-Identifier: Apache-2.0

// Package saved keeps the plan of an apply in a file, so that what was reviewed
// is what is applied later: with what was rendered, what each object was and
// becomes, and how the cluster is told from others. It links no CUE.
package saved

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Plan is what an apply of an instance, or of the instances of a bundle on one
// cluster, would do.
type Plan struct {
	Created    string     `json:"created"` // RFC 3339
	Program    string     `json:"program"` // what has made it, with its version
	ClusterUID string     `json:"clusterUID"`
	Cluster    string     `json:"cluster,omitempty"` // its name in the runtime
	Bundle     string     `json:"bundle,omitempty"`
	HasSecrets bool       `json:"hasSecrets,omitempty"` // it was asked for that it may hold some
	Policy     Policy     `json:"policy"`
	Instances  []Instance `json:"instances"` // in the order in which they are applied
	Leaving    []Leaving  `json:"leaving,omitempty"`
}

// Policy says how the plan was made: what an apply of it must not change.
type Policy struct {
	Adopt             apply.Adopt  `json:"adopt,omitempty"`
	AllowEmpty        bool         `json:"allowEmpty,omitempty"`
	Force             bool         `json:"force,omitempty"`
	ForceConflicts    bool         `json:"forceConflicts,omitempty"`
	Replace           []api.Target `json:"replace,omitempty"`
	Prune             apply.Prune  `json:"prune,omitempty"`
	PruneKinds        []string     `json:"pruneKinds,omitempty"`
	NoWait            bool         `json:"noWait,omitempty"`
	ExistingNamespace bool         `json:"existingNamespace,omitempty"`
	FieldManager      string       `json:"fieldManager"`
}

// PolicyOf returns the policy of options and of the client that writes.
func PolicyOf(o apply.Options, fieldManager string) Policy {
	return Policy{
		Adopt: o.Adopt, AllowEmpty: o.AllowEmpty, Force: o.Force, ForceConflicts: o.ForceConflicts, Replace: o.Replace,
		Prune: o.Prune, PruneKinds: o.PruneAlso.Kinds, NoWait: o.NoWait, ExistingNamespace: o.ExistingNamespace,
		FieldManager: fieldManager,
	}
}

// In returns options with the policy. What they say of how long to wait, and of
// what is remembered, stays.
func (p Policy) In(o apply.Options) apply.Options {
	o.Adopt, o.AllowEmpty, o.Force, o.ForceConflicts, o.Replace = p.Adopt, p.AllowEmpty, p.Force, p.ForceConflicts, p.Replace
	o.Prune, o.PruneAlso.Kinds, o.NoWait, o.ExistingNamespace = p.Prune, p.PruneKinds, p.NoWait, p.ExistingNamespace
	return o
}

// Instance is one of them: what it was rendered to, and what an apply of that
// changes.
type Instance struct {
	api.Instance `json:"instance"` // without the inventory

	Package      string        `json:"package,omitempty"`    // of the module, for the history
	UserValues   *string       `json:"userValues,omitempty"` // what the user gave, for the history
	Place        *store.Bundle `json:"bundle,omitempty"`
	After        []int         `json:"after,omitempty"` // the indices of the instances that have to be ready before it
	Rendering    api.Rendering `json:"rendering"`
	NamespaceUID string        `json:"namespaceUID,omitempty"` // empty when it does not exist, or may not be read
	Changes
}

// Leaving is an instance that is no longer in the files of the bundle.
type Leaving struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Changes
}

// Changes are those of the objects of one instance.
type Changes struct {
	Steps       []reviewed.Step `json:"steps"`
	Differences []Difference    `json:"differences,omitempty"` // of the steps that change something
}

// Difference holds both states of an object, with all that is secret masked.
type Difference struct {
	event.Outcome
	Before api.Object `json:"before,omitempty"`
	After  api.Object `json:"after,omitempty"`
}

// Differences returns those of all instances, in their order.
func (p Plan) Differences() []Difference {
	var all []Difference
	for _, in := range p.Instances {
		all = append(all, in.Differences...)
	}
	for _, l := range p.Leaving {
		all = append(all, l.Differences...)
	}
	return all
}
