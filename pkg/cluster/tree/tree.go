// SPDX-License-Identifier: Apache-2.0

// Package tree shows what the objects of an instance own: the ReplicaSets, Pods,
// Jobs and so on that controllers make for them, and why they are not ready.
package tree

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Node is an object, and what it owns.
type Node struct {
	Object event.Object
	Live   api.Object // nil when it does not exist

	Status   string // of readiness, as api.Health has it
	Reason   string // why it is not ready
	Warning  string // the newest one about it, when it is not ready
	LogLine  string // the last one of the container that is to blame
	Facts    Facts
	Children []*Node
}

// Facts are what a table shows of an object.
type Facts struct {
	Created  string   // RFC 3339
	Ready    *Ready   // nil when the kind has no such thing
	Restarts *int64   // of the containers of a Pod
	Images   []string // of the containers of a Pod or of those that it makes
}

// Ready says how many parts of an object are ready.
type Ready struct {
	Have int64 `json:"have"`
	Want int64 `json:"want"`
}

// All calls yield with each node of a forest.
func All(roots []*Node) func(yield func(*Node) bool) {
	var walk func(nodes []*Node, yield func(*Node) bool) bool
	walk = func(nodes []*Node, yield func(*Node) bool) bool {
		for _, n := range nodes {
			if !yield(n) || !walk(n.Children, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(*Node) bool) { walk(roots, yield) }
}

// Grow puts the objects that the roots own, and those that these own, below
// them. What no root owns in the end is left out, and so are the ReplicaSets of
// earlier revisions.
func Grow(roots []*Node, objects []api.Object, now time.Time) {
	g := grower{now: now, owned: map[string][]api.Object{}, known: map[string]bool{}}
	for _, root := range roots {
		g.known[kube.UID(root.Live)] = true
	}
	for _, o := range objects {
		if isRetired(o) {
			continue
		}
		for _, uid := range owners(o) {
			g.owned[uid] = append(g.owned[uid], o)
		}
	}
	for _, root := range roots {
		if root.Live != nil {
			root.Facts = factsOf(root.Live)
			g.addClaims(root.Live, objects)
			g.grow(root)
		}
	}
}

type grower struct {
	now   time.Time
	owned map[string][]api.Object // by the uid of their owner
	known map[string]bool         // uids of what is in the forest
}

func (g grower) grow(n *Node) {
	for _, o := range g.owned[kube.UID(n.Live)] {
		uid := kube.UID(o)
		if g.known[uid] || !mayOwn(n.Object.Namespace, o) {
			continue
		}
		g.known[uid] = true
		child := &Node{Object: o.Ref(), Live: o, Facts: factsOf(o)}
		child.Status, child.Reason = assess(o, g.now)
		n.Children = append(n.Children, child)
		g.grow(child)
	}
	slices.SortFunc(n.Children, func(a, b *Node) int {
		return cmp.Or(strings.Compare(a.Object.Kind, b.Object.Kind), strings.Compare(a.Object.Name, b.Object.Name))
	})
}

// addClaims makes the claims of a StatefulSet its own, by their names: they carry
// no reference to it unless it deletes them.
func (g grower) addClaims(set api.Object, objects []api.Object) {
	if !set.Is("apps", "StatefulSet") {
		return
	}
	templates, _, _ := unstructured.NestedSlice(set, "spec", "volumeClaimTemplates")
	for _, t := range templates {
		template, _ := t.(map[string]any)
		prefix := api.Object(template).Name() + "-" + set.Name() + "-"
		for _, o := range objects {
			ordinal, isOf := strings.CutPrefix(o.Name(), prefix)
			if isOf && o.IsClaim() && o.Namespace() == set.Namespace() && strings.Trim(ordinal, "0123456789") == "" {
				g.owned[kube.UID(set)] = append(g.owned[kube.UID(set)], o)
			}
		}
	}
}

// mayOwn says whether an object in a namespace, empty for none, may own another.
// A reference to an owner in another namespace is void: the user who writes it
// there may have no rights here.
func mayOwn(namespace string, o api.Object) bool {
	return namespace == "" || namespace == o.Namespace()
}

// owners returns the uids of the owners of an object.
func owners(o api.Object) []string {
	references, _, _ := unstructured.NestedSlice(o, "metadata", "ownerReferences")
	var uids []string
	for _, r := range references {
		reference, _ := r.(map[string]any)
		if uid, _ := reference["uid"].(string); uid != "" {
			uids = append(uids, uid)
		}
	}
	return uids
}

// isRetired says whether an object is a ReplicaSet of an earlier revision.
func isRetired(o api.Object) bool {
	return o.Is("apps", "ReplicaSet") && number(o, "spec", "replicas") == 0 && number(o, "status", "replicas") == 0
}

// assess returns the readiness of an object, and why it is not ready.
func assess(o api.Object, now time.Time) (status, reason string) {
	if o.Is("discovery.k8s.io", "EndpointSlice") {
		return string(api.HealthCurrent), ""
	}
	state, err := ready.Criteria{}.Assess(o, now)
	if err != nil {
		return "Unknown", err.Error()
	}
	if state.Health == api.HealthCurrent {
		return string(state.Health), ""
	}
	if o.Is("", "Pod") {
		if text, _ := ready.PodReason(o); text != "" {
			return string(state.Health), text
		}
	}
	return string(state.Health), state.Text()
}

// factsOf returns what a table shows of an object.
func factsOf(o api.Object) Facts {
	created, _, _ := unstructured.NestedString(o, "metadata", "creationTimestamp")
	f := Facts{Created: created, Ready: readyOf(o), Images: imagesOf(o)}
	if o.Is("", "Pod") {
		restarts := int64(0)
		for _, s := range list(o, "status", "containerStatuses") {
			restarts += number(s, "restartCount")
		}
		f.Restarts = &restarts
	}
	return f
}

func readyOf(o api.Object) *Ready {
	switch gk := o.GroupKind(); gk {
	case api.GroupKind{Group: "apps", Kind: "Deployment"}, api.GroupKind{Group: "apps", Kind: "StatefulSet"}, api.GroupKind{Group: "apps", Kind: "ReplicaSet"}:
		return &Ready{number(o, "status", "readyReplicas"), orOne(o, "spec", "replicas")}
	case api.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return &Ready{number(o, "status", "numberReady"), number(o, "status", "desiredNumberScheduled")}
	case api.GroupKind{Group: "batch", Kind: "Job"}:
		return &Ready{number(o, "status", "succeeded"), orOne(o, "spec", "completions")}
	case api.GroupKind{Kind: "Pod"}:
		return counted(list(o, "status", "containerStatuses"), len(list(o, "spec", "containers")), func(s api.Object) bool { return s["ready"] == true })
	case api.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}:
		all := list(o, "endpoints")
		return counted(all, len(all), func(e api.Object) bool {
			is, found, _ := unstructured.NestedBool(e, "conditions", "ready")
			return is || !found
		})
	}
	return nil
}

func counted(parts []api.Object, want int, is func(api.Object) bool) *Ready {
	have := slices.DeleteFunc(slices.Clone(parts), func(o api.Object) bool { return !is(o) })
	return &Ready{int64(len(have)), int64(want)}
}

// imagesOf returns the images of the containers of an object.
func imagesOf(o api.Object) []string {
	spec := []string{"spec"}
	switch {
	case o.Is("", "Pod"):
	case o.Is("batch", "CronJob"):
		spec = []string{"spec", "jobTemplate", "spec", "template", "spec"}
	case o.Group() == "apps", o.Is("batch", "Job"):
		spec = []string{"spec", "template", "spec"}
	default:
		return nil
	}
	var images []string
	for _, field := range []string{"initContainers", "containers"} {
		for _, c := range list(o, slices.Concat(spec, []string{field})...) {
			image, _ := c["image"].(string)
			if image != "" && !slices.Contains(images, image) {
				images = append(images, image)
			}
		}
	}
	return images
}

func list(o api.Object, path ...string) []api.Object {
	items, _, _ := unstructured.NestedSlice(o, path...)
	var objects []api.Object
	for _, i := range items {
		if m, isMap := i.(map[string]any); isMap {
			objects = append(objects, m)
		}
	}
	return objects
}

func number(o api.Object, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(o, path...)
	return n
}

func orOne(o api.Object, path ...string) int64 {
	if n, found, _ := unstructured.NestedInt64(o, path...); found {
		return n
	}
	return 1
}
