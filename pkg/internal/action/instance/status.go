// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// StatusReport is the state of an instance.
type StatusReport struct {
	Summary
	Ready   bool // every object is
	Objects []ObjectStatus
	Events  []ready.Event // the last ones: first the warnings, then the others, the newest of each last
}

// IsGood says whether the objects are ready and the last run ended. Drift is
// told but no reason to say no: what an autoscaler or a person has changed may
// be meant.
func (r *StatusReport) IsGood() bool { return r.Ready && r.State == Applied }

// ObjectStatus is the state of one object. Status is Current, InProgress,
// Failed, Terminating, NotFound or Unknown.
type ObjectStatus struct {
	event.Object
	Status  string
	Message string // why it is not ready, or what else to know
	Drift   string // how it differs from the recorded revision, empty when it does not
}

// lastEvents is how many events a status shows.
const lastEvents = 5

// Status returns the state of an instance and of its objects.
func Status(ctx context.Context, client *kube.Client, key Key) (*StatusReport, error) {
	record, ledger, err := getBoth(ctx, client, key)
	if err != nil {
		return nil, err
	}
	view := state.New(client)
	statuses, err := view.Status(ctx, record, ledger)
	if err != nil {
		return nil, err
	}
	report := &StatusReport{Summary: summarize(record), Ready: true}
	objects := make([]event.Object, len(statuses))
	for i, s := range statuses {
		objects[i] = s.Object
		report.Ready = report.Ready && (s.Ready() || s.Orphan)
		report.Objects = append(report.Objects, statusOf(s))
	}
	report.Events = view.Events(ctx, objects, lastEvents)
	return report, nil
}

// settle is how long a watch gathers changes before it looks at them.
const settle = 200 * time.Millisecond

// WatchStatus calls changed with the state of an instance and again after each
// change, until it is good or ctx ends. Its error is that of the first state
// that cannot be read.
func WatchStatus(ctx context.Context, client *kube.Client, key Key, changed func(*StatusReport) error) error {
	w := watching[*StatusReport]{
		read:  func(ctx context.Context) (*StatusReport, error) { return Status(ctx, client, key) },
		pause: settle,
		objects: func(ctx context.Context) (<-chan struct{}, error) {
			return watchObjects(ctx, client, key)
		},
	}
	return w.run(ctx, client, key, changed)
}

// watchRecord returns a channel that tells, at first too, that the record of an
// instance may have changed.
func watchRecord(ctx context.Context, client *kube.Client, key Key) <-chan struct{} {
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default: // it was told already
		}
	}
	go func() {
		err := store.New(client).Watch(ctx, key.Namespace, key.Name, func() error { tell(); return nil })
		if err != nil {
			tell() // reading the record says why
		}
	}()
	return changed
}

// watchObjects returns a channel that tells that an object of an instance may have
// changed.
func watchObjects(ctx context.Context, client *kube.Client, key Key) (<-chan struct{}, error) {
	record, err := get(ctx, client, key)
	if err != nil {
		return nil, err
	}
	return state.New(client).Watch(ctx, record)
}

func statusOf(s state.Status) ObjectStatus {
	o := ObjectStatus{Object: s.Object, Status: string(s.Health), Message: s.Message}
	if !s.Exists {
		o.Status = "NotFound"
	}
	if s.Unknown {
		o.Status = "Unknown"
	}
	if s.Drift != nil && s.Exists && s.Drift.Action != event.Unchanged {
		o.Drift = s.Drift.Reason
	}
	return o
}

// Difference is what differs of one object.
type Difference struct {
	event.Outcome
	Changes []delta.Change

	// Added are fields that others have added, which an apply leaves.
	Added []fieldset.Addition

	// Before and After are the object's states with the data of Secrets masked,
	// nil where it does not exist.
	Before, After api.Object
}

// Counts says whether the difference is one that an apply would take back or
// fail at.
func (d Difference) Counts() bool { return d.Action != event.Unchanged && !d.IsKept() }

// IsKept says whether the object is no longer in the module, and stays.
func (d Difference) IsKept() bool { return d.Action == event.Kept }

// NewDifference returns the difference of two states, of which either may be
// nil.
func NewDifference(o event.Outcome, before, after api.Object) Difference {
	d := Difference{Outcome: o}
	d.Before, d.After = delta.Masked(before, after)
	d.Changes = delta.Compare(d.Before, d.After)
	return d
}

// Hide returns the difference with every text as hide makes it.
func (d Difference) Hide(hide func(string) string) Difference {
	d.Reason = hide(d.Reason)
	if d.Before != nil {
		d.Before = mask.FormerObject(d.Before, d.After, hide)
	}
	if d.After != nil {
		d.After = mask.Object(d.After, hide)
	}
	d.Changes = slices.Clone(d.Changes)
	for i, c := range d.Changes {
		d.Changes[i].Old, d.Changes[i].New = mask.Former(c.Old, c.New, hide), mask.In(c.New, hide)
	}
	return d
}

// Drift returns how the objects of an instance differ from what its last apply
// left: what another apply of the recorded revision would do, found out without
// its module.
func Drift(ctx context.Context, client *kube.Client, key Key) ([]Difference, error) {
	record, ledger, err := getBoth(ctx, client, key)
	if err != nil {
		return nil, err
	}
	statuses, err := state.New(client).Status(ctx, record, ledger)
	if err != nil {
		return nil, err
	}
	var differences []Difference
	for _, s := range statuses {
		if s.Drift == nil {
			continue
		}
		d := NewDifference(event.Outcome{Object: s.Object, Action: s.Drift.Action, Reason: s.Drift.Reason}, s.Drift.Live, s.Drift.Recorded)
		d.Added = s.Drift.Added
		differences = append(differences, d)
	}
	return differences, nil
}

func getBoth(ctx context.Context, client *kube.Client, key Key) (*store.Record, *store.Ledger, error) {
	record, err := get(ctx, client, key)
	if err != nil {
		return nil, nil, err
	}
	ledger, err := store.New(client).Ledger(ctx, key.Namespace, key.Name)
	return record, ledger, err
}
