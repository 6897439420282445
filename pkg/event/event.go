// SPDX-License-Identifier: Apache-2.0

// Package event says what happened, as values: the engine emits them, package
// ui turns them into text, a terminal display or JSON. The set is closed, so a
// consumer that switches over it can be complete.
package event

import "time"

// Event is one thing that happened. Only types of this package implement it.
type Event interface{ event() }

// Observer is told what happens while it happens. Observe may be called from
// several goroutines at once and must not block for long.
type Observer interface{ Observe(Event) }

// Func makes an Observer of a function.
type Func func(Event)

// Observe calls f.
func (f Func) Observe(e Event) { f(e) }

// Discard is the observer that drops all events.
func Discard() Observer { return Func(func(Event) {}) }

// Object names a Kubernetes object.
type Object struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String returns Kind/name, preceded by the namespace where there is one:
// Deployment/apps/web, Namespace/apps.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + "/" + o.Name
	}
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}

// Outcome is what was done, or is planned, for one object.
type Outcome struct {
	Object
	Action Action `json:"action"`
	Reason string `json:"reason,omitempty"` // why, empty when the action says it all
}

// IsChange says whether the object is not left as it is.
func (o Outcome) IsChange() bool { return o.Action != Unchanged && o.Action != Kept }

// Action is what was done, or is planned, for one object.
type Action string

// The actions. The words are the ones that kubectl prints where it has them.
const (
	Created    Action = "created"
	Configured Action = "configured"
	Recreated  Action = "recreated"
	Unchanged  Action = "unchanged"
	Deferred   Action = "deferred" // can be decided only when its stage is reached
	Deleted    Action = "deleted"
	Kept       Action = "kept" // no longer rendered, but protected from deletion
	Refused    Action = "refused"
)

// The events.
type (
	// Resolved is sent when a range of versions was asked for, and one chosen.
	Resolved struct {
		Range     string
		Reference string // with the version that was chosen
	}
	// Pulled is sent when a module's content is at hand.
	Pulled struct {
		Reference string // as the user gave it
		Digest    string // of the manifest, empty for a directory
	}
	// Transferred is sent when a layer begins to be sent or received, and with
	// each part of it. It ends when all is done or with Failed.
	Transferred struct {
		Reference   string // of the artifact
		Upload      bool
		Digest      string // of the layer
		Done, Total int64  // bytes
		Failed      bool
	}
	// NamespaceCreated is sent when the namespace of an instance did not exist,
	// and was created.
	NamespaceCreated struct{ Name string }
	// NamespaceRemoved is sent when it was removed again, as nothing was applied.
	NamespaceRemoved struct{ Name string }
	// InstanceStarted is sent before the first stage of an instance of a bundle.
	InstanceStarted struct {
		Cluster         string // empty for the one in use
		Namespace, Name string
		Index, Total    int // Index counts from 1
	}
	// Within is what happens to an instance of a bundle, or on one of several
	// clusters. Event is not a Within itself.
	Within struct {
		Cluster         string // empty for the one in use
		Namespace, Name string // of the instance, empty for what is of none
		Alone           bool   // nothing else happens at the same time
		Event           Event
	}
	// StageStarted is sent before the first object of a stage.
	StageStarted struct {
		Name         string
		Index, Total int // Index counts from 1
		Objects      int
	}
	// Applied is sent when the server has accepted one object, or its deletion.
	Applied struct {
		Object Object
		Action Action
		Reason string
	}
	// WaitStarted is sent when the wait for a set of objects begins.
	WaitStarted struct {
		Objects int
		Timeout time.Duration
		Waiting []Progress // the state of each object
	}
	// Progress is sent when the status of an object that is waited for changes.
	Progress struct {
		Object  Object
		Status  string // InProgress, Current, Failed, Terminating
		Message string
	}
	// Noticed is sent for what a component of the cluster reports about an object
	// that is waited for, or about what was made for it.
	Noticed struct {
		Object          Object
		Warning         bool
		Reason, Message string
	}
	// Logged is sent for a line of the log of a container of a Pod.
	Logged struct {
		Pod       Object
		Container string
		Text      string
	}
	// LeftOut is sent for lines or reports that came faster than they are shown.
	LeftOut struct {
		Pod       Object // empty for reports
		Container string
		Lines     int
	}
	// WaitDone is sent when everything that was waited for is ready, or never
	// will be.
	WaitDone struct {
		Objects int
		Took    time.Duration
		Failed  bool
	}
	// Note is sent for what the user may want to know.
	Note struct {
		Text string
	}
	// Unlisted is sent for an instance of a bundle that is no longer in its files
	// and is left as it is.
	Unlisted struct {
		Name, Namespace string
		Bundle          string
	}
	// Warning is sent for what the user should know but does not end the run.
	Warning struct {
		Text string
	}
)

func (Resolved) event()         {}
func (Pulled) event()           {}
func (Transferred) event()      {}
func (NamespaceCreated) event() {}
func (NamespaceRemoved) event() {}
func (InstanceStarted) event()  {}
func (Within) event()           {}
func (StageStarted) event()     {}
func (Applied) event()          {}
func (WaitStarted) event()      {}
func (Progress) event()         {}
func (Noticed) event()          {}
func (Logged) event()           {}
func (LeftOut) event()          {}
func (WaitDone) event()         {}
func (Note) event()             {}
func (Unlisted) event()         {}
func (Warning) event()          {}
