// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Stage is a named set of objects that is applied, and becomes ready, before
// the next.
type Stage = api.Stage

// Adopt says which objects of others an apply may take over.
type Adopt string

// The values of Adopt.
const (
	AdoptNever     Adopt = "never"
	AdoptUnmanaged Adopt = "unmanaged" // objects that carry no owner's mark
	AdoptAll       Adopt = "all"
)

// Prune says when what is no longer in the module is deleted.
type Prune string

// The values of Prune.
const (
	PruneAfterReady Prune = "after-ready" // by a run that waits, when everything is ready
	PruneAlways     Prune = "always"      // when everything is applied, ready or not
	PruneNever      Prune = "never"       // it is left to a later run
)

// Request is what is to be applied, and how.
type Request struct {
	Instance api.Instance // the inventory is computed, the rest is given
	Stages   []Stage
	Health   ready.Health       // nil when the module has no checks
	Package  string             // of the module, for the history; empty for main
	Bundle   store.Bundle       // that owns the instance
	Earlier  *earlier.Instances // of its bundle
	Ahead    *Ahead             // what was asked already; nil for nothing

	// Rendering returns what the history keeps of the revision in addition to module
	// and values, false where a health check needs the module; nil keeps nothing.
	Rendering  func() (api.Rendering, bool)
	After      string   // the time of the revision that the record must hold or want; empty for any
	UserValues *string  // those of the user alone, as CUE text, for the history; nil when they are unknown
	Hidden     []string // the secrets in them
	Options

	outside bool // check no object of the instance's namespace, which is created later
}

// Options say how an instance is applied. The zero value is what the command
// line does when no flag is given, and the safe choice.
type Options struct {
	Adopt          Adopt // empty stands for AdoptNever
	AllowEmpty     bool  // a module that renders nothing removes everything
	Force          bool  // recreate an object when an immutable field changes
	ForceConflicts bool  // take over fields that another server-side applier owns

	// Replace selects objects that are deleted before what is new is applied:
	// those of the module are created again, those that left it make room.
	Replace []api.Target

	// Former are objects that a run which is undone had adopted, as they were
	// before: they become that again, and are not pruned.
	Former []api.Object

	Prune     Prune             // empty stands for PruneAfterReady
	PruneAlso kinds.Unprotected // what is pruned although it is protected

	NoWait            bool              // do not wait for each stage to become ready
	Timeout           time.Duration     // of the wait for one stage, 0 for kube.DefaultTimeout
	WaitFor           []ready.WaitRule  // what is to hold of objects besides
	Expressions       ready.Expressions // evaluates what of WaitFor is in CEL
	ExistingNamespace bool              // refuse when the namespace of the instance does not exist
	ApplyTimeout      time.Duration     // of the plan, and of applying one stage; 0 for kube.DefaultTimeout

	Concurrency  int          // maximum number of concurrent requests, 0 for kube.DefaultConcurrency
	Holder       store.Holder // who applies, for the lock
	HistoryLimit int          // how many revisions are kept, with their values; 0 for DefaultHistoryLimit
	History      store.Kept   // what is kept of each, empty for store.KeptFull

	// Review is called with a plan that is not refused, before the first write;
	// its error ends the run. Nil for none.
	Review func(context.Context, *Plan) error

	// Unchecked is called with the objects that the server has not checked when
	// a plan is made that is not refused. Nil for none.
	Unchecked func([]api.Object)

	// ReadOnly plans without asking the server to check: what exists is
	// updated, what does not is created. Such a plan cannot be executed.
	ReadOnly bool
}

// What options stand for.
const (
	DefaultHistoryLimit = 10

	NoHistory int = -1 // a HistoryLimit that keeps none
)

func (o Options) waitLimit() time.Duration  { return kube.LimitOf(o.Timeout) }
func (o Options) applyLimit() time.Duration { return kube.LimitOf(o.ApplyTimeout) }

func (o Options) historyLimit() int {
	if o.HistoryLimit == 0 {
		return DefaultHistoryLimit
	}
	return max(o.HistoryLimit, 0)
}
