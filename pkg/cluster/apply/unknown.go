// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// What the server does not say is unknown, and unknown is not absent: an
// aggregated API that is down may hold objects. A recorded object of which it is
// unknown whether it exists stays in the inventory, and what may hold such
// objects is not deleted.

// locate finds the resource of a recorded object. The version may be gone and
// the kind still be served in another one.
func (e *Engine) locate(id api.ID, version string) (kube.Resource, error) {
	r, err := e.Client.Resource(schema.GroupVersionKind{Group: id.Group, Version: version, Kind: id.Kind})
	if kube.IsUnknownKind(err) || kube.IsUnavailable(err) {
		r, err = e.Client.Resource(schema.GroupVersionKind{Group: id.Group, Kind: id.Kind})
	}
	return r, err
}

// listAgain reads the recorded objects of a list that was answered by NotFound:
// the discovery cache may name a version that is no longer served. A kind that
// is served in no version is gone, and its objects with it.
func (e *Engine) listAgain(ctx context.Context, m api.Metadata, was kube.Resource, steps []*Step, live *owned) error {
	recorded := slices.DeleteFunc(slices.Clone(steps), func(s *Step) bool { return !s.recorded })
	if len(recorded) == 0 {
		return nil
	}
	r, err := e.Client.Served(schema.GroupVersionKind{Group: was.Group, Kind: was.Kind})
	switch {
	case kube.IsUnknownKind(err) || err == nil && r.GroupVersionResource == was.GroupVersionResource:
		return nil
	case kube.IsUnavailable(err):
		markUnknown(recorded, err)
		return nil
	case err != nil:
		return err
	}
	for _, s := range recorded {
		s.Resource = r
		s.Object["apiVersion"] = r.GroupVersion().String()
	}
	for key, moved := range byListKey(recorded) {
		if err := e.listOne(ctx, m, key, moved, live); err != nil {
			return err
		}
	}
	return nil
}

// markUnknown notes why it is unknown whether the objects of recorded steps
// exist. It returns false when one of them is not only recorded but to be
// applied, which takes knowing it.
func markUnknown(steps []*Step, reason error) bool {
	if slices.ContainsFunc(steps, func(s *Step) bool { return !s.recorded }) {
		return false
	}
	for _, s := range steps {
		s.unknown = reason.Error()
	}
	return true
}

// keepUnknown keeps an object because of what the server does not say.
func (s *Step) keepUnknown(reasons ...error) {
	texts := make([]string, len(reasons))
	for i, err := range reasons {
		texts[i] = err.Error()
	}
	slices.Sort(texts)
	s.unknown = strings.Join(slices.Compact(texts), "; ")
	s.Action, s.Reason = event.Kept, s.unknown
}

// warnUnknown reports what is kept although it would be deleted if the server
// answered.
func (e *Engine) warnUnknown(steps []*Step) {
	for _, s := range unknownAmong(steps) {
		e.observe(event.Warning{Text: fmt.Sprintf("%s is kept: %s", s.Ref(), s.unknown)})
	}
}

// keepInInventory leaves what is kept as unknown in the inventory, for a later
// run to delete.
func (p *Plan) keepInInventory() {
	for _, s := range unknownAmong(p.Prune) {
		p.instance.Inventory.Entries = append(p.instance.Inventory.Entries, s.Object.ID().Entry(s.Object.Version()))
	}
}

func unknownAmong(steps []*Step) []*Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s *Step) bool { return s.unknown == "" })
}

// unknownError returns an error that names what was kept as unknown, nil when
// nothing was.
func unknownError(steps []*Step) error {
	unknown := unknownAmong(steps)
	if len(unknown) == 0 {
		return nil
	}
	names := make([]string, len(unknown))
	for i, s := range unknown {
		names[i] = s.Ref().String()
	}
	slices.Sort(names)
	return &UnansweredError{Objects: names}
}
