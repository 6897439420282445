// SPDX-License-Identifier: Apache-2.0

// Package instance holds the verbs on installed instances that need no module:
// list, inspect, status and delete. It links no CUE.
package instance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
)

// Key names an instance.
type Key struct{ Namespace, Name string }

// Summary is an instance as a list shows it.
type Summary struct {
	Name           string   `json:"name"`
	Namespace      string   `json:"namespace"`
	Module         string   `json:"module"` // repository or directory
	Version        string   `json:"version"`
	Digest         string   `json:"digest"`
	LastTransition string   `json:"lastTransitionTime"`
	State          State    `json:"state"`
	Bundle         string   `json:"bundle,omitempty"`
	Images         []string `json:"images,omitempty"`
	Objects        int      `json:"objects"`
}

// State says whether the last run on an instance ended.
type State string

// The states.
const (
	Applied  State = "Applied"
	Pending  State = "Pending"  // an upgrade began and did not end
	Deleting State = "Deleting" // a delete began and did not end
)

func summarize(r *store.Record) Summary {
	i := r.Instance
	s := Summary{
		Name: i.Metadata.Name, Namespace: i.Metadata.Namespace,
		Module: i.Module.Repository, Version: i.Module.Version, Digest: i.Module.Digest,
		LastTransition: i.LastTransitionTime, State: Applied, Images: i.Images,
		Objects: len(r.Inventory()),
	}
	s.Bundle, _ = r.Labels()[api.LabelBundle].(string)
	switch {
	case r.Deleting:
		s.State = Deleting
	case r.Pending != nil:
		s.State = Pending
	}
	return s
}

// List returns the instances of a namespace, or of all when it is empty. A
// record that cannot be read is named in the error, exit code 1, and does not
// keep the others from being returned.
func List(ctx context.Context, client *kube.Client, namespace string) ([]Summary, error) {
	records, err := store.New(client).List(ctx, namespace)
	if err != nil && records == nil {
		return nil, err
	}
	summaries := make([]Summary, len(records))
	for i, r := range records {
		summaries[i] = summarize(r)
	}
	return summaries, fail.With(fail.No, err)
}

// Inspection is all that the record of an instance says.
type Inspection struct {
	Instance api.Instance  `json:"instance"`
	Pending  *api.Instance `json:"pending,omitempty"`
	State    State         `json:"state"`
}

// Inspect returns what the record of an instance says.
func Inspect(ctx context.Context, client *kube.Client, key Key) (*Inspection, error) {
	record, err := get(ctx, client, key)
	if err != nil {
		return nil, err
	}
	return &Inspection{Instance: record.Instance, Pending: record.Pending, State: summarize(record).State}, nil
}

// History returns the revisions of an instance that are remembered, the newest
// last. An instance that was applied by another tool has none.
func History(ctx context.Context, client *kube.Client, key Key) ([]store.Revision, error) {
	if _, err := get(ctx, client, key); err != nil {
		return nil, err
	}
	ledger, err := store.New(client).Ledger(ctx, key.Namespace, key.Name)
	if err != nil {
		return nil, err
	}
	return ledger.History, nil
}

// StatusReport is the readiness of an instance.
type StatusReport struct {
	Name      string         `json:"name"`
	Namespace string         `json:"namespace"`
	Module    api.Module     `json:"module"`
	State     State          `json:"state"`
	Ready     bool           `json:"ready"`
	Objects   []ObjectStatus `json:"objects"`
}

// ObjectStatus is the readiness of one object. Status is Current, InProgress,
// Failed, Terminating or NotFound.
type ObjectStatus struct {
	event.Object
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// Status returns the readiness of an instance and of its objects.
func Status(ctx context.Context, client *kube.Client, key Key) (*StatusReport, error) {
	record, err := get(ctx, client, key)
	if err != nil {
		return nil, err
	}
	statuses, err := apply.New(client, event.Discard()).Status(ctx, record)
	if err != nil {
		return nil, err
	}
	report := &StatusReport{
		Name: key.Name, Namespace: key.Namespace, Module: record.Instance.Module,
		State: summarize(record).State, Ready: true, Objects: []ObjectStatus{},
	}
	for _, s := range statuses {
		o := ObjectStatus{Object: s.Object, Status: string(s.Health), Message: s.Message}
		if !s.Exists {
			o.Status = "NotFound"
		}
		report.Ready = report.Ready && s.Ready()
		report.Objects = append(report.Objects, o)
	}
	return report, nil
}

// DeleteRequest names the instance to delete and says how.
type DeleteRequest struct {
	Key
	Wait    bool // until the objects are gone
	Timeout time.Duration
	DryRun  bool
	Also    apply.Unprotected
	Orphan  bool         // forget the instance, leave its objects
	Holder  store.Holder // who deletes, for the lock
}

// Delete deletes an instance: its objects, then its record.
func Delete(ctx context.Context, client *kube.Client, req DeleteRequest, observer event.Observer) ([]event.Outcome, error) {
	record, err := get(ctx, client, req.Key)
	if err != nil {
		return nil, err
	}
	steps, err := apply.New(client, observer).Delete(ctx, record, apply.DeleteOptions{
		Wait: req.Wait, Timeout: req.Timeout, DryRun: req.DryRun, Also: req.Also, Orphan: req.Orphan, Holder: req.Holder,
	})
	if err != nil {
		return nil, fmt.Errorf("delete %s: %w", req.Name, err)
	}
	return apply.Outcomes(steps), nil
}

func get(ctx context.Context, client *kube.Client, key Key) (*store.Record, error) {
	record, err := store.New(client).Get(ctx, key.Namespace, key.Name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fail.Hint(err, "see what is installed with 'kubectl timoni list -A'")
	}
	return record, err
}
