// SPDX-License-Identifier: Apache-2.0

// Package earlier knows what the instances of a bundle bring that are applied
// before another one: what the server cannot judge the other's objects without.
package earlier

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// Instances is what instances bring. Nil stands for that of none.
type Instances struct {
	kinds   map[schema.GroupKind]kube.Resource
	objects map[api.ID]string // that they change, with the name of the instance
	spaces  map[string]string // namespaces that do not exist yet, likewise
	judges  []judge           // of admission that they change
}

// Brings is what one instance brings.
type Brings struct {
	Name    string
	Kinds   map[schema.GroupKind]kube.Resource
	Objects []api.ID     // that it creates or changes and others are judged by
	Spaces  []string     // namespaces that it creates
	Judges  []api.Object // of admission that it creates or changes
}

// With returns what a further instance adds.
func (b *Instances) With(one Brings) *Instances {
	next := &Instances{kinds: map[schema.GroupKind]kube.Resource{}, objects: map[api.ID]string{}, spaces: map[string]string{}}
	if b != nil {
		maps.Copy(next.kinds, b.kinds)
		maps.Copy(next.objects, b.objects)
		maps.Copy(next.spaces, b.spaces)
		next.judges = slices.Clone(b.judges)
	}
	maps.Copy(next.kinds, one.Kinds)
	for _, id := range one.Objects {
		next.objects[id] = one.Name
	}
	for _, ns := range one.Spaces {
		next.spaces[ns] = one.Name
	}
	for _, o := range one.Judges {
		next.judges = append(next.judges, judge{o, one.Name})
	}
	return next
}

// AddKinds adds the kinds that are brought to those that a run renders itself.
func (b *Instances) AddKinds(rendered map[schema.GroupKind]kube.Resource) {
	if b == nil {
		return
	}
	for gk, r := range b.kinds {
		if _, own := rendered[gk]; !own {
			rendered[gk] = r
		}
	}
}

// Creates says whether a namespace is brought.
func (b *Instances) Creates(namespace string) bool { return b != nil && b.spaces[namespace] != "" }

// Deferral returns why the server cannot judge an object yet, empty when it can:
// its namespace, what it is judged by, or the object itself is brought.
func (b *Instances) Deferral(o api.Object, r kube.Resource, judgedBy ...api.ID) string {
	if b == nil {
		return ""
	}
	if by := b.spaces[o.Namespace()]; by != "" {
		return fmt.Sprintf("namespace %q is created with instance %q", o.Namespace(), by)
	}
	for _, id := range append(judgedBy, o.ID()) {
		if by := b.objects[id]; by != "" {
			return fmt.Sprintf("%s/%s is changed by instance %q", id.Kind, id.Name, by)
		}
	}
	for _, j := range b.judges {
		if j.covers(r) {
			return fmt.Sprintf("%s/%s is changed by instance %q", j.object.Kind(), j.object.Name(), j.by)
		}
	}
	return ""
}
