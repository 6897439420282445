// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// OwnedError refuses to write an object that is not the instance's. Options.Adopt
// takes it over.
type OwnedError struct {
	Object event.Object
	Owner  string // whose it is, empty for an object without an owner's mark
}

func (e *OwnedError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("%s exists and is not managed by an instance", e.Object)
	}
	return fmt.Sprintf("%s belongs to %s", e.Object, e.Owner)
}

// DefinitionError refuses a CustomResourceDefinition of another instance that is
// not the one that this module renders.
type DefinitionError struct {
	Object      event.Object
	Owner       string // the instance, as NAMESPACE/NAME
	Version     string // of its module, empty when that is not known
	Differences []string
}

func (e *DefinitionError) Error() string {
	version := ""
	if e.Version != "" {
		version = " of version " + e.Version
	}
	return fmt.Sprintf("%s belongs to instance %s%s, and this module renders another one: %s",
		e.Object, e.Owner, version, strings.Join(e.Differences, ", "))
}

// FieldsOwnedError refuses to change fields that another server-side applier
// owns. Options.ForceConflicts takes them over.
type FieldsOwnedError struct {
	Object event.Object
	Fields []string // each with what the server says of it
}

func (e *FieldsOwnedError) Error() string {
	return fmt.Sprintf("%s: fields that another applier owns differ: %s", e.Object, strings.Join(e.Fields, ", "))
}

// ImmutableError says that the server refuses the change of an immutable field.
// Options.Force and Options.Replace recreate the object, unless it is protected.
type ImmutableError struct {
	Object    event.Object
	Protected bool  // what it holds would be lost with it
	Err       error // of the server
}

func (e *ImmutableError) Error() string {
	if e.Protected {
		return fmt.Sprintf("%v; a %s is never recreated, as its content would be lost", e.Err, e.Object.Kind)
	}
	return e.Err.Error()
}

// Unwrap returns what the server said.
func (e *ImmutableError) Unwrap() error { return e.Err }

// ProtectedError refuses to recreate or to replace an object whose content would
// be lost with it.
type ProtectedError struct {
	Object event.Object
	Verb   string // what is never done: recreated, replaced
	Err    error  // why it was to be done, nil when it was asked for
}

func (e *ProtectedError) Error() string {
	text := fmt.Sprintf("%s: a %s is never %s, its content would be lost", e.Object, e.Object.Kind, e.Verb)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns why it was to be done.
func (e *ProtectedError) Unwrap() error { return e.Err }

// HeldError says that a new object is rejected, perhaps for what an object holds
// that is no longer rendered. Options.Replace deletes that one first.
type HeldError struct {
	By  event.Object
	Err error // of the server
}

func (e *HeldError) Error() string { return e.Err.Error() }

// Unwrap returns what the server said.
func (e *HeldError) Unwrap() error { return e.Err }

// InTheWayError says that objects do not become ready, perhaps for what these
// hold, which are no longer rendered and would be pruned afterwards.
type InTheWayError struct {
	Objects []event.Object
	Err     error
}

func (e *InTheWayError) Error() string { return e.Err.Error() }

// Unwrap returns why the objects are not ready.
func (e *InTheWayError) Unwrap() error { return e.Err }

// UnknownKindError says that the server does not serve the kind of an object.
type UnknownKindError struct {
	Object    event.Object
	Successor string // the group version that has the kind, empty for none
	Late      error  // the server's answer after the earlier stages, nil when it is of the first
}

func (e *UnknownKindError) Error() string {
	if e.Late != nil {
		return fmt.Sprintf("%s: %v", e.Object, e.Late)
	}
	version := e.Object.Version
	if e.Object.Group != "" {
		version = e.Object.Group + "/" + version
	}
	return fmt.Sprintf("%s: the server has no kind %s in %s", e.Object, e.Object.Kind, version)
}

// Unwrap returns the server's answer.
func (e *UnknownKindError) Unwrap() error { return e.Late }

// EmptyError refuses a module that renders no object: far more often a mistake
// than a wish, and it would delete everything. Options.AllowEmpty allows it.
type EmptyError struct{ Instance api.Metadata }

func (e *EmptyError) Error() string {
	return fmt.Sprintf("instance %q: the module renders no object", e.Instance.Name)
}

// MissingNamespaceError refuses an instance whose namespace does not exist, where
// Options.ExistingNamespace asks for one.
type MissingNamespaceError struct{ Name string }

func (e *MissingNamespaceError) Error() string {
	return fmt.Sprintf("namespace %q does not exist", e.Name)
}

// TimeoutError says that Options.ApplyTimeout was over before the plan was made
// or the objects of a stage were applied.
type TimeoutError struct {
	After   time.Duration
	Objects []string // that were not applied, nil when it was over in the plan
}

func (e *TimeoutError) Error() string {
	if e.Objects == nil {
		return fmt.Sprintf("the plan was not made within %s", e.After)
	}
	return fmt.Sprintf("not applied within %s: %s", e.After, strings.Join(e.Objects, ", "))
}

// StaleError is the error of executing a plan after the cluster has changed so
// that these objects would become something else than the plan shows.
type StaleError struct{ Objects []event.Object }

func (e *StaleError) Error() string {
	objects, rest := e.Objects, ""
	if more := len(objects) - maxNamed; more > 0 {
		objects, rest = objects[:maxNamed], fmt.Sprintf(" and %d more", more)
	}
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.String()
	}
	return "the cluster has changed since the plan was made: " + strings.Join(names, ", ") + rest
}
