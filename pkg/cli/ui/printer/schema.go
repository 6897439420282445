// SPDX-License-Identifier: Apache-2.0

package printer

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// APIVersion is that of the results that are not written in the cluster. What
// the types of a version say stays: fields are added, none is renamed, removed
// or given another meaning. docs/output.md describes them for users.
const APIVersion = "cli.timoni.sh/v1alpha1"

// Type says what a result is.
type Type struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// Object names an object of the cluster as the object itself does.
type Object struct {
	Type
	Metadata Metadata `json:"metadata"`
}

// Metadata holds the name of an object. Labels hold the bundle's name where a
// bundle owns an instance.
type Metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Outcome is what was done, or would be, with one object.
type Outcome struct {
	Object
	Action event.Action `json:"action"`
	Reason string       `json:"reason,omitempty"`
}

// Instance is an instance as list prints it: its record without the values and
// the inventory.
type Instance struct {
	Object
	Module             api.Module     `json:"module"`
	LastTransitionTime string         `json:"lastTransitionTime"`
	State              instance.State `json:"state"`
	Complete           bool           `json:"complete"`         // the module was applied in full
	Wanted             *api.Module    `json:"wanted,omitempty"` // that the last run wanted, when it is another
	Objects            int            `json:"objects"`          // how many it has
	Ready              *bool          `json:"ready,omitempty"`  // with --not-ready
	Images             []string       `json:"images,omitempty"`
}

// record is an instance as inspect prints it.
type record struct {
	api.Instance
	State    instance.State `json:"state"`
	Complete bool           `json:"complete"`         // the module was applied in full
	Wanted   *api.Module    `json:"wanted,omitempty"` // that the last run wanted, when it is another
	Pending  *api.Instance  `json:"pending,omitempty"`
}

// module is the module of an instance, whose name stands in the metadata.
type module struct {
	Object
	api.Module
}

// values are the values of an instance.
type values struct {
	Object
	Values string `json:"values"` // CUE text
}

// images are the container images of an instance.
type images struct {
	Object
	Images []string `json:"images"`
}

// Revision is one of the remembered revisions of an instance.
type Revision struct {
	Object
	store.Revision
	Kept store.Kept `json:"kept"` // what a rollback has
}

// Status is the readiness of an instance.
type Status struct {
	Object
	Module   api.Module     `json:"module"`
	State    instance.State `json:"state"`
	Complete bool           `json:"complete"`         // the module was applied in full
	Wanted   *api.Module    `json:"wanted,omitempty"` // that the last run wanted, when it is another
	Ready    bool           `json:"ready"`
	Objects  []ObjectStatus `json:"objects"`
	Events   []Event        `json:"events"` // the last ones: first the warnings, then the others, the newest of each last
}

// Event is what was reported about an object of an instance, or a pod of one.
type Event struct {
	Object  Object `json:"object"`
	Type    string `json:"type"` // Normal or Warning
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Time    string `json:"time"` // RFC 3339
}

// ObjectStatus is the readiness of one object.
type ObjectStatus struct {
	Object
	Status  string `json:"status"` // Current, InProgress, Failed, Terminating or NotFound
	Message string `json:"message,omitempty"`
	Drift   string `json:"drift,omitempty"` // how it differs from the recorded revision
}

// Difference is what differs of one object.
type Difference struct {
	Outcome
	Changes []delta.Change      `json:"changes"`
	Added   []fieldset.Addition `json:"added,omitempty"`
}

// Differences returns the result of diff.
func Differences(list []instance.Difference) []Difference {
	return convert(list, func(d instance.Difference) Difference {
		return Difference{Outcome: outcomeOf(d.Outcome), Changes: append([]delta.Change{}, d.Changes...), Added: d.Added}
	})
}

// Access is a right that an apply needs and that is missing.
type Access struct {
	Type
	Verb      string `json:"verb"`
	Group     string `json:"group,omitempty"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"` // of an object, where roles name some
	Needed    bool   `json:"needed"`         // false for one that an apply can do without
	Why       string `json:"why"`
	Reason    string `json:"reason,omitempty"` // of the server
}

// AccessOf returns the result of apply --check-access.
func AccessOf(missing []apply.Access) []Access {
	return convert(missing, func(a apply.Access) Access {
		return Access{
			Type: Type{APIVersion: APIVersion, Kind: "Access"}, Verb: a.Verb, Group: a.Group, Resource: a.Resource,
			Namespace: a.Namespace, Name: a.Name, Needed: a.Needed, Why: a.Why, Reason: a.Reason,
		}
	})
}

func ofCluster(o event.Object) Object {
	version := o.Version
	if o.Group != "" {
		version = o.Group + "/" + o.Version
	}
	return Object{Type: Type{APIVersion: version, Kind: o.Kind}, Metadata: Metadata{Name: o.Name, Namespace: o.Namespace}}
}

// ofInstance returns the head of a result about an instance.
func ofInstance(kind, name, namespace string) Object {
	return Object{Type: Type{APIVersion: APIVersion, Kind: kind}, Metadata: Metadata{Name: name, Namespace: namespace}}
}

// Outcomes returns the result of a command that acts on objects.
func Outcomes(outcomes []event.Outcome) []Outcome { return convert(outcomes, outcomeOf) }

func outcomeOf(o event.Outcome) Outcome {
	return Outcome{Object: ofCluster(o.Object), Action: o.Action, Reason: o.Reason}
}

// InstanceOf returns an instance as list prints it.
func InstanceOf(s instance.Summary) Instance {
	i := Instance{
		Object: owned(ofInstance(api.KindInstance, s.Name, s.Namespace), s.Bundle),
		Module: s.Module, LastTransitionTime: s.LastTransition, State: s.State, Complete: s.Complete != nil, Wanted: requestedModule(s), Objects: s.Objects, Ready: s.Ready, Images: s.Images,
	}
	i.APIVersion = api.APIVersion // the kind is that of the record
	return i
}

// owned returns the head of a result with the bundle that owns the instance, if
// one does.
func owned(o Object, bundle string) Object {
	if bundle != "" {
		o.Metadata.Labels = map[string]string{api.LabelBundle: bundle}
	}
	return o
}

// requestedModule returns the module of the last run, nil when the record's own is it.
func requestedModule(s instance.Summary) *api.Module {
	if reflect.DeepEqual(s.Wanted, s.Module) {
		return nil
	}
	return &s.Wanted
}

// Version returns the version of an instance for a table: the one that the last
// run wanted and, unless that was applied in full, the one that was.
func Version(s instance.Summary) string {
	switch {
	case s.State != instance.Failed && s.State != instance.Pending:
		return s.Module.Version
	case s.Complete == nil:
		return s.Wanted.Version + " (none complete)"
	}
	return fmt.Sprintf("%s (complete: %s)", s.Wanted.Version, s.Complete.Version)
}

// Age returns how long ago a time in RFC 3339 was, as kubectl writes it.
func Age(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return duration.HumanDuration(time.Since(t))
}

// Instances returns the result of list.
func Instances(list []instance.Summary) []Instance { return convert(list, InstanceOf) }

// Inspection returns the result of inspect, or the part of it that a section
// names: module, values, resources or images.
func Inspection(i *instance.Inspection, section string) any {
	m := i.Instance.Metadata
	switch section {
	case "module":
		return module{Object: ofInstance("Module", m.Name, m.Namespace), Module: i.Instance.Module}
	case "values":
		return values{Object: ofInstance("Values", m.Name, m.Namespace), Values: i.Instance.Values}
	case "resources":
		return convert(i.Resources, ofCluster)
	case "images":
		return images{Object: ofInstance("Images", m.Name, m.Namespace), Images: append([]string{}, i.Instance.Images...)}
	}
	return record{Instance: i.Instance, State: i.State, Complete: i.Complete != nil, Wanted: requestedModule(i.Summary), Pending: i.Pending}
}

// History returns the result of history for an instance.
func History(key instance.Key, history []store.Revision) []Revision {
	return convert(history, func(r store.Revision) Revision {
		return Revision{Object: ofInstance("Revision", key.Name, key.Namespace), Revision: r, Kept: r.Kept()}
	})
}

// StatusOf returns the result of status.
func StatusOf(r *instance.StatusReport) Status {
	return Status{
		Object: owned(ofInstance("InstanceStatus", r.Name, r.Namespace), r.Bundle), Module: r.Module, State: r.State, Complete: r.Complete != nil, Wanted: requestedModule(r.Summary), Ready: r.Ready,
		Objects: convert(r.Objects, func(o instance.ObjectStatus) ObjectStatus {
			return ObjectStatus{Object: ofCluster(o.Object), Status: o.Status, Message: o.Message, Drift: o.Drift}
		}),
		Events: convert(r.Events, eventOf),
	}
}

func eventOf(e ready.Event) Event {
	return Event{Object: ofCluster(e.Object), Type: e.Type, Reason: e.Reason, Message: e.Message, Time: e.Time}
}

// instanceEvent is an event about an object of an instance, or about what it owns.
type instanceEvent struct {
	Object
	About   Object `json:"object"`
	Type    string `json:"type"` // Normal or Warning
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Time    string `json:"time"` // RFC 3339
}

// Events returns the result of events.
func Events(key instance.Key, events []ready.Event) []any {
	return convert(events, func(e ready.Event) any {
		return instanceEvent{ofInstance("InstanceEvent", key.Name, key.Namespace), ofCluster(e.Object), e.Type, e.Reason, e.Message, e.Time}
	})
}

// EventRows returns the rows of a table of events.
func EventRows(events []ready.Event) [][]string {
	return convert(events, func(e ready.Event) []string {
		return []string{Age(e.Time), e.Type, e.Reason, e.Object.String(), e.Message}
	})
}

func convert[A, B any](from []A, each func(A) B) []B {
	to := make([]B, len(from))
	for i, item := range from {
		to[i] = each(item)
	}
	return to
}
