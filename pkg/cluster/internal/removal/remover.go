// SPDX-License-Identifier: Apache-2.0

// Package removal deletes objects of instances: in order, what is still theirs,
// and nothing that holds what others need.
package removal

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Remover deletes objects of instances.
type Remover struct {
	survey.Reader

	Store    store.Store
	Observer event.Observer // nil discards all events
}

func (r Remover) observe(happened event.Event) {
	if r.Observer != nil {
		r.Observer.Observe(happened)
	}
}

// Warn tells the observer what the user should know.
func (r Remover) Warn(text string) { r.observe(event.Warning{Text: text}) }

// Decide returns what is to be done with the candidates: nothing for those
// that are gone or belong to another owner by now, else delete or keep. An
// object that is applied under another identity, because its kind moved to
// another API group, has the same uid and is never touched.
func Decide(applied, candidates []*survey.Item, live *survey.Owned, also kinds.Unprotected) []*survey.Item {
	uids := map[string]bool{}
	for _, s := range applied {
		if s.Live != nil {
			uids[kube.UID(s.Live)] = true
		}
	}
	var prune []*survey.Item
	for _, c := range candidates {
		if c.Unknown != "" {
			c.Action, c.Reason = event.Kept, c.Unknown
			prune = append(prune, c)
			continue
		}
		c.Live = live.Get(c)
		if c.Live == nil || uids[kube.UID(c.Live)] {
			continue
		}
		c.Action, c.Reason = event.Deleted, ""
		if reason := kinds.KeepReason(c.Live, also); reason != "" {
			c.Action, c.Reason = event.Kept, reason
		}
		prune = append(prune, c)
	}
	return prune
}

// Remove deletes the live objects of the items that are to be deleted, reports
// those that are kept, and, when wait is set, waits until they are gone.
func (r Remover) Remove(ctx context.Context, items []*survey.Item, wait bool, timeout time.Duration) error {
	if err := r.keepSharedSince(ctx, items); err != nil {
		return err
	}
	var toDelete []*survey.Item
	for _, s := range items {
		if s.Action == event.Deleted {
			toDelete = append(toDelete, s)
			continue
		}
		r.observe(event.Applied{Object: s.Ref(), Action: s.Action, Reason: s.Reason})
	}
	err := kube.Each(r.Concurrency, toDelete, func(s *survey.Item) error {
		if err := r.DeleteLive(ctx, s); err != nil {
			return fmt.Errorf("delete %s: %w", s.Ref(), err)
		}
		s.Removed = true
		r.observe(event.Applied{Object: s.Ref(), Action: event.Deleted, Reason: s.Reason})
		return nil
	})
	if err != nil || !wait {
		return err
	}
	return r.WaitGone(ctx, timeout, toDelete)
}

// DeleteLive deletes the live object of an item. One that was changed since it
// was read is looked at again: it goes only when it is the same object, and
// still belongs to whom it belonged to.
func (r Remover) DeleteLive(ctx context.Context, s *survey.Item) error {
	for range attempts {
		err := r.Client.Delete(ctx, s.Resource, s.Live)
		if !apierrors.IsConflict(err) {
			return ignoreNotFound(err)
		}
		live, err := r.Client.Get(ctx, s.Resource, s.Live.Namespace(), s.Live.Name())
		switch {
		case apierrors.IsNotFound(err) || err == nil && kube.UID(live) != kube.UID(s.Live):
			return nil
		case err != nil:
			return err
		case ownership.Of(live) != ownership.Of(s.Live):
			return fail.Refusedf("it belongs to %s now", cmp.Or(ownership.Of(live), "no instance"))
		}
		s.Live = live
	}
	return fmt.Errorf("it was changed by others %d times", attempts)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// attempts bounds how often one object is read again because of conflicts.
const attempts = 10

// WaitGone waits until the live objects of the items are gone.
func (r Remover) WaitGone(ctx context.Context, timeout time.Duration, items []*survey.Item) error {
	ctx, cancel := kube.WithTimeout(ctx, timeout)
	defer cancel()
	watcher := ready.Watcher{Client: r.Client, Observer: r.Observer}
	return watcher.WaitGone(ctx, survey.Watched(items))
}

// RemoveInOrder removes the objects of the items, each wave when the one before
// is gone.
func (r Remover) RemoveInOrder(ctx context.Context, items []*survey.Item, stages map[string]int, wait bool, timeout time.Duration) error {
	for _, wave := range deleteOrder(items, stages) {
		if err := r.Remove(ctx, wave, wait, timeout); err != nil {
			return err
		}
	}
	return nil
}

// WarnUnknown reports what is kept although it would be deleted if the server
// answered.
func (r Remover) WarnUnknown(items []*survey.Item) {
	for _, i := range survey.Unknown(items) {
		r.observe(event.Warning{Text: fmt.Sprintf("%s is kept: %s", i.Ref(), i.Unknown)})
	}
}
