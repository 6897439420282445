// SPDX-License-Identifier: Apache-2.0

// Package survey finds what a cluster has of an instance: the objects that its
// record names, those that carry its labels, and those that no record names. It
// writes nothing.
//
// What the server does not say is unknown, and unknown is not absent: an
// aggregated API that is down may hold objects. A recorded object of which it is
// unknown whether it exists stays in the inventory, and what may hold such
// objects is not deleted.
package survey

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Item is one object of an instance, as it is to be and as it is.
type Item struct {
	Object   api.Object // as it will be sent
	Resource kube.Resource
	Action   event.Action
	Reason   string // why, empty when the action says it all

	Live     api.Object // what the server has of it, nil when it has nothing
	Resolved bool       // Resource is known
	Recorded bool       // it is of a record, and not of the module
	Unknown  string     // why it is unknown whether it, or what it holds, exists
	Removed  bool       // its live object was deleted for good
}

// Key is the object's id in inventory and ledger.
func (i *Item) Key() string { return i.Object.ID().Entry("").ID }

// Ref names the object.
func (i *Item) Ref() event.Object { return i.Object.Ref() }

// KeepUnknown keeps an object because of what the server does not say.
func (i *Item) KeepUnknown(reasons ...error) {
	texts := make([]string, len(reasons))
	for n, err := range reasons {
		texts[n] = err.Error()
	}
	slices.Sort(texts)
	i.Unknown = strings.Join(slices.Compact(texts), "; ")
	i.Action, i.Reason = event.Kept, i.Unknown
}

// Outcomes returns what was, or is to be, done with the object of each item.
func Outcomes(items []*Item) []event.Outcome {
	outcomes := make([]event.Outcome, len(items))
	for n, i := range items {
		outcomes[n] = event.Outcome{Object: i.Ref(), Action: i.Action, Reason: i.Reason}
	}
	return outcomes
}

// Removed returns the items whose objects were deleted by a run.
func Removed(items []*Item) []*Item {
	return slices.DeleteFunc(slices.Clone(items), func(i *Item) bool { return !i.Removed })
}

// Unknown returns the items that were kept because of what the server does not
// say.
func Unknown(items []*Item) []*Item {
	return slices.DeleteFunc(slices.Clone(items), func(i *Item) bool { return i.Unknown == "" })
}

// UnknownError returns an error that names what was kept as unknown, nil when
// nothing was.
func UnknownError(items []*Item) error {
	unknown := Unknown(items)
	if len(unknown) == 0 {
		return nil
	}
	names := make([]string, len(unknown))
	for n, i := range unknown {
		names[n] = i.Ref().String()
	}
	slices.Sort(names)
	return &kube.UnansweredError{Objects: names}
}

// Watched returns what there is to watch of items: not those of a kind that the
// server does not know.
func Watched(items []*Item) []*ready.Item {
	var watched []*ready.Item
	for _, i := range items {
		if i.Resolved {
			watched = append(watched, &ready.Item{Object: i.Object, Resource: i.Resource, Live: i.Live})
		}
	}
	return watched
}

func skeleton(id api.ID, gv schema.GroupVersion) api.Object {
	o := api.Object{"apiVersion": gv.String(), "kind": id.Kind, "metadata": map[string]any{"name": id.Name}}
	if id.Namespace != "" {
		o.SetNamespace(id.Namespace)
	}
	return o
}
