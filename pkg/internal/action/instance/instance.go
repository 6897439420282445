// SPDX-License-Identifier: Apache-2.0

// Package instance holds the verbs on installed instances that need no module:
// list, inspect, status and delete. It links no CUE.
package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Key names an instance.
type Key struct{ Namespace, Name string }

// ParseName returns the name in an operand: a name alone, or the form
// instance.timoni.sh/NAME that -o name prints, of which the group may be left
// out.
func ParseName(operand string) string {
	kind, name, found := strings.Cut(operand, "/")
	if found && (kind == "instance" || kind == "instance.timoni.sh") {
		return name
	}
	return operand
}

// Inspection is all that the record of an instance says.
type Inspection struct {
	Summary
	Instance  api.Instance
	Pending   *api.Instance  // what an unfinished upgrade wanted, nil when there is none
	Resources []event.Object // the objects of both
}

// Inspect returns what the record of an instance says.
func Inspect(ctx context.Context, client *kube.Client, key Key) (*Inspection, error) {
	record, err := get(ctx, client, key)
	if err != nil {
		return nil, err
	}
	i := &Inspection{Instance: record.Instance, Pending: record.Pending, Summary: summarize(record)}
	i.Resources, err = state.New(client).Objects(record)
	return i, err
}

// UserValues returns the values that were given at the last apply, as CUE text,
// without those of the module.
func UserValues(ctx context.Context, client *kube.Client, key Key) (string, error) {
	record, ledger, err := getBoth(ctx, client, key)
	if err != nil {
		return "", err
	}
	last, known := ledger.Last(record)
	if !known || last.UserValues == nil {
		return "", fmt.Errorf("instance %q in namespace %q: the history does not say which values were given at the last apply", key.Name, key.Namespace)
	}
	return *last.UserValues, nil
}

// History returns the revisions of an instance that are remembered, the newest
// last, and the one that is being applied. An instance that was applied by
// another tool has none.
func History(ctx context.Context, client *kube.Client, key Key) ([]store.Revision, error) {
	record, ledger, err := getBoth(ctx, client, key)
	if err != nil {
		return nil, err
	}
	return ledger.Revisions(record), nil
}

// DeleteRequest names the instance to delete and says how.
type DeleteRequest struct {
	Key
	NoWait  bool          // do not wait until the objects are gone
	Timeout time.Duration // 0 for kube.DefaultTimeout
	DryRun  bool
	Check   bool // have the server check a dry run
	Also    kinds.Unprotected
	Orphan  bool         // forget the instance, leave its objects
	Holder  store.Holder // who deletes, for the lock

	IgnoreNotFound bool   // an instance that does not exist is no error
	Bundle         string // that is deleted; the observer is told of another one
}

// Delete deletes an instance: its objects, then its record. With an error it
// returns what was deleted by then.
func Delete(ctx context.Context, client *kube.Client, req DeleteRequest, observer event.Observer) ([]event.Outcome, error) {
	record, err := get(ctx, client, req.Key)
	if req.IgnoreNotFound && errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if owner := record.Bundle(); owner != "" && owner != req.Bundle {
		observer.Observe(event.Note{Text: fmt.Sprintf("instance %q belongs to the bundle %q: the next 'bundle apply' of it installs it again", req.Name, owner)})
	}
	objects, err := teardown.New(client, observer).Delete(ctx, record, teardown.Options{
		NoWait: req.NoWait, Timeout: req.Timeout, DryRun: req.DryRun, Check: req.Check, Also: req.Also, Orphan: req.Orphan, Holder: req.Holder,
	})
	if err != nil {
		err = fmt.Errorf("delete %s: %w", req.Name, err)
	}
	return teardown.Outcomes(objects), err
}

func get(ctx context.Context, client *kube.Client, key Key) (*store.Record, error) {
	record, err := store.New(client).Get(ctx, key.Namespace, key.Name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fail.Hint(err, "see what is installed with 'kubectl timoni list -A'")
	}
	return record, err
}
