// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// decideReplace decides a step whose live object the user wants to be deleted
// and created again: when the server would take it as a new one.
func (e *Engine) decideReplace(ctx context.Context, req Request, s *Step) error {
	if s.Live.IsProtected() {
		s.refuse(&ProtectedError{Object: s.Ref(), Verb: "replaced"})
		return nil
	}
	s.Action, s.Reason = event.Recreated, kinds.WithClaims("it is to be replaced", s.Object, s.Live)
	if req.ReadOnly {
		return nil
	}
	elsewhere, err := e.askForCopy(ctx, s, kinds.WithoutHeld(s.Object, s.Live))
	s.next = kinds.Recreated(s.Object, elsewhere)
	if kube.IsQuota(err) { // which the live object takes part in
		return nil
	}
	return s.recordVerdict(err)
}

// untilCounted does what may need the share that a deleted object had in a
// quota, again and again until the server has counted that as free. A controller
// counts, and does not say when it has: so the limit is that of a wait, 0 for
// that of ctx. Who waits loses nothing, because what was deleted cannot be put
// back before either.
func untilCounted(ctx context.Context, timeout time.Duration, do func() error) error {
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	pause := 50 * time.Millisecond
	for {
		err := do()
		if !kube.IsQuota(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// longestPause is the longest time between two attempts of untilCounted.
const longestPause = 2 * time.Second

// makeRoom looks at what was refused although it is new: what it needs, a port
// or a share of a quota, may be held by an object that left the module. If the
// user has named that one, the step is deferred until it is deleted; if not, the
// refusal says how to name it (docs/design.md, decision 1).
func (e *Engine) makeRoom(ctx context.Context, plan *Plan) error {
	var leaving []*Step
	for _, c := range plan.Prune {
		c.replaced = api.AnySelects(plan.request.Replace, c.Ref())
		switch {
		case c.Action == event.Deleted:
			leaving = append(leaving, c)
		case c.replaced:
			c.refuse(fail.Refusedf("%s is not replaced: %s", c.Ref(), c.Reason))
		}
	}
	for _, t := range plan.request.Replace {
		if !slices.ContainsFunc(plan.All(), func(s *Step) bool { return s.Live != nil && t.Selects(s.Ref()) }) {
			e.observe(event.Warning{Text: fmt.Sprintf("replace %s: the instance has no such object", t)})
		}
	}
	for _, r := range plan.request.WaitFor {
		if !slices.ContainsFunc(plan.Steps, func(s *Step) bool { return r.Selects(s.Ref()) }) {
			e.observe(event.Warning{Text: fmt.Sprintf("%s: the module has no such object", r.Name())})
		}
	}
	for _, s := range plan.Steps {
		if s.Err == nil || s.Live != nil {
			continue
		}
		if err := e.makeRoomFor(ctx, s, leaving); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) makeRoomFor(ctx context.Context, s *Step, leaving []*Step) error {
	for _, c := range leaving {
		holds, err := e.isHeldBy(ctx, s, c)
		if err != nil {
			return err
		}
		if !holds {
			continue
		}
		if !c.replaced {
			s.Err = &HeldError{By: c.Ref(), Err: s.Err}
			continue
		}
		c.makesRoom, s.roomMade = append(c.makesRoom, s), true
		s.Action, s.Reason, s.Err = event.Deferred, fmt.Sprintf("what it needs is held by %s, which is replaced", c.Ref()), nil
		return nil
	}
	return nil
}

// isHeldBy says whether a new object was rejected because of what another one
// holds.
func (e *Engine) isHeldBy(ctx context.Context, s, holder *Step) (bool, error) {
	switch {
	case kube.IsQuota(s.Err):
		return s.Object.Namespace() == holder.Object.Namespace(), nil
	case kinds.IsService(s.Object) && kinds.IsService(holder.Object):
		_, err := e.Client.ApplyNew(ctx, s.Resource, kinds.WithoutHeld(s.Object, holder.Live), kube.DryRun)
		if _, isAnswer := errors.AsType[*apierrors.StatusError](err); err != nil && !isAnswer {
			return false, fmt.Errorf("%s: %w", s.Ref(), err)
		}
		return err == nil, nil
	}
	// An admission webhook that allows a host or an address only once names the
	// object that has it.
	return slices.Contains(words(s.Err.Error()), holder.Object.Name()) && s.Object.Kind() == holder.Object.Kind(), nil
}

// words splits a text at what cannot be part of an object's name.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// removeReplaced deletes what is no longer in the module and is to make room: before the
// stage that needs it, or before the first when none is known to. It returns
// what it deleted.
func (e *Engine) removeReplaced(ctx context.Context, plan *Plan, stage int) ([]*Step, error) {
	var toDelete []*Step
	for _, c := range plan.Prune {
		if c.replaced && !c.gone && c.Action == event.Deleted && stage >= c.neededIn() {
			toDelete = append(toDelete, c)
		}
	}
	if len(toDelete) == 0 {
		return nil, nil
	}
	for _, c := range toDelete {
		c.gone = true
	}
	return toDelete, e.remover().Remove(ctx, itemsOf(toDelete), true, plan.request.waitLimit())
}

// neededIn returns the first stage that a replaced object makes room for.
func (s *Step) neededIn() int {
	first := 0
	for i, waiting := range s.makesRoom {
		if i == 0 || waiting.stage < first {
			first = waiting.stage
		}
	}
	return first
}

// putBack creates again what was deleted to make room for objects that did not
// come, and returns err with what that gave.
func (e *Engine) putBack(ctx context.Context, timeout time.Duration, removed []*Step, err error) error {
	for _, c := range removed {
		if slices.ContainsFunc(c.makesRoom, func(s *Step) bool { return s.now() != nil }) {
			continue // it takes the place
		}
		back := e.createAgain(ctx, timeout, c)
		switch {
		case apierrors.IsAlreadyExists(back): // it was not deleted yet
		case back != nil:
			err = fmt.Errorf("%w; putting %s back: %w", err, c.Ref(), back)
		default:
			err = fmt.Errorf("%w; %s was put back", err, c.Ref())
			e.observe(event.Applied{Object: c.Ref(), Action: event.Created, Reason: "put back"})
		}
		c.gone = false
	}
	return err
}

// inTheWay adds to the error of a wait what is no longer in the module and is still there:
// it may hold what the new objects wait for.
func (p *Plan) inTheWay(err error) error {
	if _, notReady := errors.AsType[*ready.NotReadyError](err); !notReady {
		return err
	}
	var objects []event.Object
	for _, c := range p.Prune {
		if c.Live != nil && !c.gone && !c.Live.IsProtected() {
			objects = append(objects, c.Ref())
		}
	}
	if objects == nil {
		return err
	}
	return &InTheWayError{Objects: objects, Err: err}
}

// toPrune returns the steps whose objects are still to be deleted.
func (p *Plan) toPrune() []*Step {
	var steps []*Step
	for _, s := range p.Prune {
		if !s.gone {
			steps = append(steps, s)
		}
	}
	return steps
}

// leaveForLater keeps what a run with these settings does not prune, and its
// entries in the inventory, so that a later run knows of it.
func (p *Plan) leaveForLater() {
	var reason string
	switch {
	case p.request.Prune == PruneNever:
		reason = "nothing is pruned"
	case p.request.Prune != PruneAlways && p.request.NoWait:
		reason = "left for the next apply that waits"
	default:
		return
	}
	for _, s := range p.Prune {
		if s.Action == event.Deleted && !s.replaced {
			s.Action, s.Reason = event.Kept, reason
			p.instance.Inventory.Entries = append(p.instance.Inventory.Entries, s.Object.ID().Entry(s.Object.Version()))
		}
	}
}

// keepInInventory leaves what is kept as unknown in the inventory, for a later
// run to delete.
func (p *Plan) keepInInventory() {
	for _, s := range survey.Unknown(itemsOf(p.Prune)) {
		p.instance.Inventory.Entries = append(p.instance.Inventory.Entries, s.Object.ID().Entry(s.Object.Version()))
	}
}
