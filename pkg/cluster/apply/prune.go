// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// candidates returns a step for every recorded object that the plan does not
// apply.
func (e *Engine) candidates(plan *Plan) ([]*Step, error) {
	wanted := map[api.ID]bool{}
	for _, s := range plan.Steps {
		wanted[s.Object.ID()] = true
	}
	recorded, err := e.recorded(plan.record)
	if err != nil {
		return nil, err
	}
	var steps []*Step
	for _, s := range recorded {
		if !wanted[s.Object.ID()] {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// recorded returns a step for every object in the inventory of a record, with
// its namespace according to its scope. One whose kind the server no longer
// serves, so that it cannot exist, has no resource.
func (e *Engine) recorded(record *store.Record) ([]*Step, error) {
	var steps []*Step
	seen := map[api.ID]bool{}
	for _, entry := range record.Inventory() {
		id, err := entry.Parse()
		if err != nil {
			return nil, fmt.Errorf("record of instance %q: %w", record.Instance.Metadata.Name, err)
		}
		r, err := e.Client.Resource(schema.GroupVersionKind{Group: id.Group, Version: entry.Version, Kind: id.Kind})
		if kube.IsUnknownKind(err) { // the version may be gone and the kind still be there
			r, err = e.Client.Resource(schema.GroupVersionKind{Group: id.Group, Kind: id.Kind})
		}
		resolved := !kube.IsUnknownKind(err)
		if err != nil && resolved {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		if !resolved {
			r.Group, r.Version = id.Group, entry.Version
		} else if !r.Namespaced {
			id.Namespace = ""
		}
		if !seen[id] {
			steps = append(steps, &Step{Object: skeleton(id, r.GroupVersion()), Resource: r, resolved: resolved})
		}
		seen[id] = true
	}
	return steps, nil
}

func skeleton(id api.ID, gv schema.GroupVersion) api.Object {
	o := api.Object{"apiVersion": gv.String(), "kind": id.Kind, "metadata": map[string]any{"name": id.Name}}
	if id.Namespace != "" {
		o.SetNamespace(id.Namespace)
	}
	return o
}

// planPrune returns what is to be done with the candidates: nothing for those
// that are gone or belong to another owner by now, else delete or keep. An
// object that is applied under another identity, because its kind moved to
// another API group, has the same uid and is never touched.
func planPrune(steps, candidates []*Step, live *owned, also Unprotected) []*Step {
	applied := map[string]bool{}
	for _, s := range steps {
		if s.live != nil {
			applied[kube.UID(s.live)] = true
		}
	}
	var prune []*Step
	for _, c := range candidates {
		c.live = live.get(c)
		if c.live == nil || applied[kube.UID(c.live)] {
			continue
		}
		c.Action, c.Reason = event.Deleted, ""
		if reason := keepReason(c.live, also); reason != "" {
			c.Action, c.Reason = event.Kept, reason
		}
		prune = append(prune, c)
	}
	return prune
}

// Unprotected says which objects are deleted although others may use what they
// hold.
type Unprotected struct {
	CRDs       bool     // definitions of kinds, with all objects of the kind
	Volumes    bool     // PersistentVolumeClaims and PersistentVolumes, with their data
	Namespaces bool     // with all that is in them
	Kinds      []string // the same by kind, one of ProtectedKinds
}

// ProtectedKinds returns the kinds whose objects are not deleted unless that is
// asked for.
func ProtectedKinds() []string {
	return []string{"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"}
}

func (u Unprotected) allows(o api.Object) bool {
	if slices.Contains(u.Kinds, o.Kind()) {
		return true
	}
	switch o.Kind() {
	case "Namespace":
		return u.Namespaces
	case "CustomResourceDefinition":
		return u.CRDs
	}
	return u.Volumes
}

// keepReason returns why a live object is not deleted, empty when it may be.
func keepReason(live api.Object, also Unprotected) string {
	if isDisabled(live, api.AnnotationPrune) {
		return "annotated with " + api.AnnotationPrune + ": " + api.DisabledValue
	}
	if isProtected(live) && !also.allows(live) {
		return fmt.Sprintf("a %s is not deleted, it may hold what others use", live.Kind())
	}
	return ""
}

// remove deletes the live objects of the steps that are to be deleted, reports
// those that are kept, and, when wait is set, waits until they are gone.
func (e *Engine) remove(ctx context.Context, steps []*Step, wait bool, timeout time.Duration) error {
	var doomed []*Step
	for _, s := range steps {
		if s.Action == event.Deleted {
			doomed = append(doomed, s)
			continue
		}
		e.Observer.Observe(event.Applied{Object: s.Ref(), Action: s.Action, Reason: s.Reason})
	}
	err := each(e.concurrency(), doomed, func(s *Step) error {
		err := e.Client.Delete(ctx, s.Resource, s.live)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s: %w", s.Ref(), err)
		}
		e.Observer.Observe(event.Applied{Object: s.Ref(), Action: event.Deleted, Reason: s.Reason})
		return nil
	})
	if err != nil || !wait {
		return err
	}
	return e.waitGoneFor(ctx, timeout, doomed)
}

func (e *Engine) waitGoneFor(ctx context.Context, timeout time.Duration, steps []*Step) error {
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	return e.watcher().WaitGone(ctx, items(steps))
}

// DeleteOptions say how an instance is deleted.
type DeleteOptions struct {
	Wait    bool // until the objects are gone
	Timeout time.Duration
	DryRun  bool
	Check   bool // have the server check, in a dry run, whether each object may be deleted
	Also    Unprotected
	Orphan  bool         // delete the record only, and leave the objects
	Holder  store.Holder // who deletes, for the lock
}

// Delete deletes the objects of an instance and then its record. Definitions
// of kinds, namespaces and volumes are kept, with what others store in them.
// It returns what was done, or in a dry run would be, with each object. A
// delete that did not end can be run again.
func (e *Engine) Delete(ctx context.Context, record *store.Record, o DeleteOptions) ([]*Step, error) {
	m := record.Instance.Metadata
	if err := store.Writable(record, nil); err != nil {
		return nil, err
	}
	if o.Orphan {
		return e.orphan(ctx, record, o)
	}
	recorded, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := e.listOwned(ctx, m, recorded)
	if err != nil {
		return nil, err
	}
	steps := planPrune(nil, recorded, live, o.Also)
	if err = e.countVictims(ctx, m, steps); err != nil {
		return nil, err
	}
	if o.DryRun {
		return steps, e.checkDeletes(ctx, steps, o.Check)
	}
	ledger, err := e.Store.Ledger(ctx, m.Namespace, m.Name)
	if err == nil {
		err = store.Writable(nil, ledger)
	}
	if err != nil {
		return steps, err
	}
	home, rest := apart(steps, m.Namespace)
	err = e.locked(ctx, m, o.Holder, o.Timeout, func(ctx context.Context) error {
		if record, err = e.Store.MarkDeleting(ctx, record); err != nil {
			return err
		}
		if err = e.removeInOrder(ctx, rest, ledger.Stages, o.Wait, o.Timeout); err != nil {
			return err
		}
		if err = e.remove(ctx, home, false, o.Timeout); err != nil {
			return err
		}
		return e.Store.Remove(ctx, record)
	})
	if err == nil && o.Wait {
		err = e.waitGoneFor(ctx, o.Timeout, slices.DeleteFunc(home, func(s *Step) bool { return s.Action != event.Deleted }))
	}
	return steps, err
}

// apart returns the step of the namespace in which the instance is recorded
// apart from the rest: it goes last, and takes the lock along.
func apart(steps []*Step, namespace string) (home, rest []*Step) {
	for _, s := range steps {
		if isNamespace(s.Object) && s.Object.Name() == namespace {
			home = append(home, s)
		} else {
			rest = append(rest, s)
		}
	}
	return home, rest
}

// orphan forgets an instance: its objects stay, with the labels by which an
// instance of the same name takes them back.
func (e *Engine) orphan(ctx context.Context, record *store.Record, o DeleteOptions) ([]*Step, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		s.Action, s.Reason = event.Kept, "the instance is forgotten"
	}
	if o.DryRun {
		return steps, nil
	}
	return steps, e.locked(ctx, record.Instance.Metadata, o.Holder, o.Timeout, func(ctx context.Context) error {
		return e.Store.Remove(ctx, record)
	})
}

// deleteOrder returns the steps in the order in which their objects go: the
// stages of the last apply backwards, and in each the custom resources before
// what their controllers may be made of, and namespaces and definitions of
// kinds last. What no ledger knows the stage of is taken for the first.
func deleteOrder(steps []*Step, stages map[string]int) [][]*Step {
	waves := map[int][]*Step{}
	for _, s := range steps {
		rank := 3 * stages[s.key()]
		switch {
		case !api.IsBuiltIn(s.Object.Group()):
			rank += 2
		case !isCRD(s.Object) && !isNamespace(s.Object):
			rank++
		}
		waves[rank] = append(waves[rank], s)
	}
	var order [][]*Step
	for _, rank := range slices.Backward(slices.Sorted(maps.Keys(waves))) {
		order = append(order, waves[rank])
	}
	return order
}

// removeInOrder removes the objects of the steps, each wave when the one before
// is gone.
func (e *Engine) removeInOrder(ctx context.Context, steps []*Step, stages map[string]int, wait bool, timeout time.Duration) error {
	for _, wave := range deleteOrder(steps, stages) {
		if err := e.remove(ctx, wave, wait, timeout); err != nil {
			return err
		}
	}
	return nil
}
