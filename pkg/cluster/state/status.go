// SPDX-License-Identifier: Apache-2.0

// Package state shows the objects of an instance: whether they exist, whether
// they are ready, and how they differ from what the last apply left. It writes
// nothing.
package state

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// View shows the state of instances.
type View struct {
	client  *kube.Client
	briefly bool
}

// New returns a view of the cluster that the client reaches.
func New(client *kube.Client) View { return View{client: client} }

// Briefly returns a view that asks for no more than the objects: not for the
// Pods and the events that say why one is not ready.
func (v View) Briefly() View {
	v.briefly = true
	return v
}

func (v View) reader() survey.Reader {
	return survey.Reader{Client: v.client, Concurrency: kube.DefaultConcurrency}
}

func (v View) watcher() ready.Watcher { return ready.Watcher{Client: v.client} }

// Status is the state of one object of an instance.
type Status struct {
	Object  event.Object
	Exists  bool
	Health  api.Health // empty when the object does not exist
	Message string     // why it is not ready, or what else to know
	Drift   *Drift     // nil when it is as the last apply left it
	Unknown bool       // the server does not say whether it exists
	Live    api.Object // nil when it does not exist, or is of another owner
	Orphan  bool       // no inventory names it, and the next apply or delete deletes it
}

// Objects returns the objects that a record names, each with its namespace
// according to its scope: Timoni records one for objects that are in none.
func (v View) Objects(record *store.Record) ([]event.Object, error) {
	items, err := v.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	objects := make([]event.Object, len(items))
	for i, s := range items {
		objects[i] = s.Ref()
	}
	return objects, nil
}

// Ready says whether the object exists and is ready.
func (s Status) Ready() bool { return s.Exists && s.Health == api.HealthCurrent }

// Status returns the state of every recorded object: its readiness by the
// rules of kstatus, as the checks of the module are not at hand without the
// module, and how it differs from what the last apply left.
func (v View) Status(ctx context.Context, record *store.Record, ledger *store.Ledger) ([]Status, error) {
	items, err := v.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := v.reader().ListOwned(ctx, record.Instance.Metadata, items, ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	recorded := len(items)
	items = append(items, v.reader().Orphans(live, items, ledger)...)
	statuses := make([]Status, len(items))
	indexes := make([]int, len(items))
	for i := range items {
		indexes[i] = i
	}
	return statuses, kube.Each(kube.DefaultConcurrency, indexes, func(i int) (err error) {
		statuses[i], err = v.statusOf(ctx, items[i], live.Get(items[i]), ledger)
		if i >= recorded {
			statuses[i].asOrphan(items[i].Live)
		}
		return err
	})
}

func (v View) statusOf(ctx context.Context, s *survey.Item, live api.Object, ledger *store.Ledger) (Status, error) {
	status := Status{Object: s.Ref(), Exists: live != nil, Live: live}
	if s.Unknown != "" {
		status.Unknown, status.Message = true, s.Unknown
		return status, nil
	}
	var err error
	if status.Drift, err = driftOf(lastManager(ledger), s.Object, live, ledger.Applied[s.Key()]); err != nil {
		return status, err
	}
	if live == nil {
		return v.missing(ctx, s, status)
	}
	now, err := v.watcher().Assess(ctx, ready.Criteria{}, live, time.Now())
	if err != nil {
		return status, err
	}
	status.Health, status.Message = now.Health, now.Text()
	if now.Warning != "" {
		status.Message = now.Warning
	}
	if status.Ready() || v.briefly {
		return status, nil
	}
	if why := v.watcher().Diagnose(ctx, live); !strings.Contains(status.Message, why) {
		status.Message += "; " + why
	}
	return status, nil
}

// asOrphan makes the status that of an orphan.
func (s *Status) asOrphan(live api.Object) {
	s.Orphan, s.Drift = true, &Drift{Action: event.Deleted, Reason: survey.OrphanReason, Live: live}
}

// missing completes the status of an object that is not among those of the
// instance: it is gone, or belongs to another owner by now.
func (v View) missing(ctx context.Context, s *survey.Item, status Status) (Status, error) {
	status.Message = "it does not exist"
	if !s.Resolved {
		status.Message = "the server does not know its kind"
		return status, nil
	}
	other, err := v.client.Get(ctx, s.Resource, s.Object.Namespace(), s.Object.Name())
	if apierrors.IsNotFound(err) {
		return status, nil
	}
	if err != nil {
		return status, fmt.Errorf("%s: %w", s.Ref(), err)
	}
	status.Message = "it has lost the labels of its instance"
	if owner := ownership.Of(other); owner != "" {
		status.Message = "it belongs to " + owner
	}
	status.Drift = &Drift{Action: event.Refused, Reason: status.Message, Live: other, Recorded: other}
	return status, nil
}

// Watch returns a channel that tells that an object of a record may have
// changed: one message may stand for several changes. It ends with ctx.
func (v View) Watch(ctx context.Context, record *store.Record) (<-chan struct{}, error) {
	items, err := v.reader().Recorded(record)
	if err != nil {
		return nil, err
	}
	return v.watcher().Changes(ctx, survey.Watched(items)), nil
}

// Events returns the last events, warnings first and at most limit, about
// objects and about what was made for them.
func (v View) Events(ctx context.Context, objects []event.Object, limit int) []ready.Event {
	return v.watcher().Events(ctx, objects, limit)
}
