// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Status is the state of one object of an instance.
type Status struct {
	Object  event.Object
	Exists  bool
	Health  api.Health // empty when the object does not exist
	Message string     // why it is not ready, or what else to know
	Drift   *Drift     // nil when it is as the last apply left it
	Unknown bool       // the server does not say whether it exists
	Orphan  bool       // no inventory names it, and the next apply or delete deletes it
}

// Objects returns the objects that a record names, each with its namespace
// according to its scope: Timoni records one for objects that are in none.
func (e *Engine) Objects(record *store.Record) ([]event.Object, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	objects := make([]event.Object, len(steps))
	for i, s := range steps {
		objects[i] = s.Ref()
	}
	return objects, nil
}

// Ready says whether the object exists and is ready.
func (s Status) Ready() bool { return s.Exists && s.Health == api.HealthCurrent }

// Status returns the state of every recorded object: its readiness by the
// rules of kstatus, as the checks of the module are not at hand without the
// module, and how it differs from what the last apply left.
func (e *Engine) Status(ctx context.Context, record *store.Record, ledger *store.Ledger) ([]Status, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := e.listOwned(ctx, record.Instance.Metadata, steps, ledger.Abandoned)
	if err != nil {
		return nil, err
	}
	recorded := len(steps)
	steps = append(steps, e.orphans(live, steps, ledger)...)
	statuses := make([]Status, len(steps))
	indexes := make([]int, len(steps))
	for i := range steps {
		indexes[i] = i
	}
	return statuses, each(e.concurrency(), indexes, func(i int) (err error) {
		statuses[i], err = e.statusOf(ctx, steps[i], live.get(steps[i]), ledger)
		if i >= recorded {
			statuses[i].asOrphan(steps[i].live)
		}
		return err
	})
}

func (e *Engine) statusOf(ctx context.Context, s *Step, live api.Object, ledger *store.Ledger) (Status, error) {
	status := Status{Object: s.Ref(), Exists: live != nil}
	if s.unknown != "" {
		status.Unknown, status.Message = true, s.unknown
		return status, nil
	}
	var err error
	if status.Drift, err = driftOf(lastManager(ledger), s.Object, live, ledger.Applied[s.key()]); err != nil {
		return status, err
	}
	if live == nil {
		return e.missing(ctx, s, status)
	}
	now, err := e.watcher().Assess(ctx, ready.Criteria{}, live, time.Now())
	if err != nil {
		return status, err
	}
	status.Health, status.Message = now.Health, now.Text()
	if now.Warning != "" {
		status.Message = now.Warning
	}
	if status.Ready() {
		return status, nil
	}
	if why := e.watcher().Diagnose(ctx, live); !strings.Contains(status.Message, why) {
		status.Message += "; " + why
	}
	return status, nil
}

// asOrphan makes the status that of an orphan.
func (s *Status) asOrphan(live api.Object) {
	s.Orphan, s.Drift = true, &Drift{Action: event.Deleted, Reason: orphanReason, Live: live}
}

// missing completes the status of an object that is not among those of the
// instance: it is gone, or belongs to another owner by now.
func (e *Engine) missing(ctx context.Context, s *Step, status Status) (Status, error) {
	status.Message = "it does not exist"
	if !s.resolved {
		status.Message = "the server does not know its kind"
		return status, nil
	}
	other, err := e.Client.Get(ctx, s.Resource, s.Object.Namespace(), s.Object.Name())
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
