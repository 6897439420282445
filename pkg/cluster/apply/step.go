// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Step is one object of a plan.
type Step struct {
	survey.Item

	Err error // why it was refused

	decision
	progress
}

// decision is what was read and decided about the object of a step before
// anything was written.
type decision struct {
	next      api.Object // what a dry run made of it, nil when there was none
	known     string     // the fingerprint that the last apply left, empty when it left none
	manager   fieldset.Manager
	drop      *fieldpath.Set // defaults of the server that the write takes over and drops
	stage     int
	awaits    bool    // it is deferred until an earlier instance of the bundle is applied
	replaced  bool    // it is deleted before what is new is applied
	makesRoom []*Step // what the plan has deferred because of this one
	roomMade  bool    // something is deleted by this run to make room for it
	force     bool    // the write takes over the fields of other managers, as its dry run did
	noted     bool    // the ledger says that the instance shares it
	owner     string  // the instance that it is shared with, as NAMESPACE/NAME
}

// progress is what has happened to the object of a step.
type progress struct {
	written     api.Object // what the server made of the write, nil when there was none
	fingerprint string     // of the object as it was last known to be as wanted
	gone        bool       // its live object was deleted by this run, to make room
	reads       int        // how often it was read again because of conflicts
	shown       *Step      // what the caller was shown of it, nil when that does not bind
}

// now returns the object as the server was last known to have it.
func (s *Step) now() api.Object {
	if s.written != nil {
		return s.written
	}
	return s.Live
}

// States returns the live object and what it is to become: nil for one that
// does not exist or is to be deleted. What no dry run has shown is as it will
// be sent.
func (s *Step) States() (before, after api.Object) {
	switch {
	case s.Action == event.Deleted:
		return s.Live, nil
	case s.Action == event.Unchanged, s.Action == event.Kept:
		return s.Live, s.Live
	case s.next != nil:
		return s.Live, s.next
	}
	return s.Live, s.Object
}

// Outcomes returns what was, or is to be, done with the object of each step.
func Outcomes(steps []*Step) []event.Outcome { return survey.Outcomes(itemsOf(steps)) }

// Plan is what an apply would do. Carrying it out does not change it: Execute
// works on a copy.
type Plan struct {
	Steps []*Step // in the order of stages
	Prune []*Step // what is no longer in the module

	request    Request
	instance   api.Instance  // with its inventory
	record     *store.Record // nil when nothing is installed
	ledger     *store.Ledger
	newSpace   bool                 // the instance's namespace does not exist
	created    api.Object           // the namespace that the run has created
	user       *kube.Answer[string] // who carries it out, nil when it was not asked
	allApplied bool                 // the objects of all stages are
	rendered   string               // store.DigestOf the stages
	failed     bool                 // it was carried out as a revision, which failed
}

// Shown returns what the plan shows of each object, to compare it with a later one.
func (p *Plan) Shown() []reviewed.Step {
	steps := make([]reviewed.Step, 0, len(p.Steps)+len(p.Prune))
	for _, s := range p.All() {
		before, after := s.States()
		outcome := event.Outcome{Object: s.Ref(), Action: s.Action, Reason: s.Reason}
		steps = append(steps, reviewed.StepOf(outcome, before, after, s.Object, s.manager.ReplicasOwner))
	}
	return steps
}

// All returns the steps of the plan and of the prune, in this order.
func (p *Plan) All() []*Step {
	return append(append([]*Step{}, p.Steps...), p.Prune...)
}

// Outcomes returns what was, or is to be, done with each object, and with the
// namespace if the run has created it.
func (p *Plan) Outcomes() []event.Outcome {
	outcomes := Outcomes(p.All())
	if p.created == nil {
		return outcomes
	}
	return append([]event.Outcome{{Object: p.created.Ref(), Action: event.Created}}, outcomes...)
}

// Written returns what a run that failed has done by then.
func (p *Plan) Written() []event.Outcome {
	done := *p
	done.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(s *Step) bool { return s.fingerprint == "" })
	done.Prune = slices.DeleteFunc(slices.Clone(p.Prune), func(s *Step) bool { return !s.Removed })
	return done.Outcomes()
}

// Refusal returns the reasons why the plan cannot be carried out, joined, or
// nil.
func (p *Plan) Refusal() error {
	var errs []error
	for _, s := range p.All() {
		errs = append(errs, s.Err)
	}
	return errors.Join(errs...)
}

// forExecution returns a copy of the plan for a run whose writes have to be
// what the plan shows.
func (p *Plan) forExecution() *Plan {
	run := *p
	run.request.Review, run.request.Earlier = nil, nil
	run.instance.Inventory.Entries = slices.Clone(p.instance.Inventory.Entries)
	copies := map[*Step]*Step{}
	run.Steps, run.Prune = copySteps(p.Steps, copies), copySteps(p.Prune, copies)
	for _, s := range run.All() {
		s.makesRoom = slices.Clone(s.makesRoom)
		for i, waiting := range s.makesRoom {
			s.makesRoom[i] = copies[waiting]
		}
	}
	return &run
}

// copySteps copies steps, which write into their objects, and notes the copies.
func copySteps(steps []*Step, copies map[*Step]*Step) []*Step {
	list := make([]*Step, len(steps))
	for i, s := range steps {
		c := *s
		c.Object = s.Object.DeepCopy()
		list[i], copies[s] = &c, &c
		if c.Action != event.Deferred {
			c.shown = s
		}
	}
	return list
}

// asShown returns a *StaleError when a step that was decided again is no longer
// what the caller was shown.
func (s *Step) asShown() error {
	if s.shown == nil || s.sameAs(s.shown) {
		return nil
	}
	return &StaleError{Objects: []event.Object{s.Ref()}}
}

// sameAs says whether two decisions about an object show the same change. What
// controllers report in its status is no part of it, nor what the server makes
// anew for each object that it creates.
func (s *Step) sameAs(other *Step) bool {
	if s.Action != other.Action {
		return false
	}
	before, after := s.States()
	shownBefore, shownAfter := other.States()
	switch s.Action {
	case event.Created, event.Recreated:
		after, shownAfter = s.Object, other.Object
	case event.Unchanged, event.Kept, event.Deleted:
		return true
	}
	return sameShown(before, shownBefore) && sameShown(after, shownAfter)
}

func sameShown(a, b api.Object) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.DeepEqual(withoutStatus(a), withoutStatus(b))
}

func withoutStatus(o api.Object) api.Object {
	c := withoutServerMetadata(o)
	delete(c, "status") // of a copy
	return c
}

// AsShown returns a *StaleError with the objects of which a plan that was made
// again shows something else than the caller was shown, nil when there are none.
// What was deferred may have been decided by now.
func (p *Plan) AsShown(shown *Plan) error {
	known := map[string]*Step{}
	for _, s := range shown.All() {
		known[s.Key()] = s
	}
	stale := &StaleError{}
	for _, s := range p.All() {
		old := known[s.Key()]
		delete(known, s.Key())
		switch {
		case old == nil, old.Action != event.Deferred && s.Action != event.Deferred && !s.sameAs(old):
			stale.Objects = append(stale.Objects, s.Ref())
		case s.Action != event.Deferred && old.Action != event.Deferred:
			s.shown = old
		}
	}
	for _, k := range slices.Sorted(maps.Keys(known)) {
		stale.Objects = append(stale.Objects, known[k].Ref())
	}
	if stale.Objects == nil {
		return nil
	}
	return stale
}

// stepsOf returns steps for items.
func stepsOf(items []*survey.Item) []*Step {
	steps := make([]*Step, len(items))
	for i, item := range items {
		steps[i] = &Step{Item: *item}
	}
	return steps
}

// itemsOf returns the items of steps, which it shares with them.
func itemsOf(steps []*Step) []*survey.Item {
	items := make([]*survey.Item, len(steps))
	for i, s := range steps {
		items[i] = &s.Item
	}
	return items
}
