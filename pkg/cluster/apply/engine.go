// SPDX-License-Identifier: Apache-2.0

// Package apply brings a cluster to the state that a module describes. It
// plans first, by dry runs that change nothing; then it carries the plan out
// stage by stage, waits for readiness by watches, and prunes what is no longer in the
// module last.
//
// The package returns data and emits events; it knows neither CUE nor a
// terminal.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/earlier"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// DefaultConcurrency is the maximum number of concurrent requests. The API
// server's priority and fairness shares its capacity; the number only bounds
// sockets.
const DefaultConcurrency = 16

// Engine applies instances to one cluster.
type Engine struct {
	Client   *kube.Client
	Store    store.Store
	Observer event.Observer

	// Concurrency is the maximum number of concurrent requests, 0 stands for
	// DefaultConcurrency.
	Concurrency int
}

func (e *Engine) concurrency() int {
	if e.Concurrency > 0 {
		return e.Concurrency
	}
	return DefaultConcurrency
}

// New returns an Engine for the cluster that the client reaches.
func New(client *kube.Client, observer event.Observer) *Engine {
	return &Engine{Client: client, Store: store.New(client), Observer: observer}
}

// Stage is a named set of objects that is applied, and becomes ready, before
// the next.
type Stage struct {
	Name    string
	Objects []api.Object
}

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
	Options

	outside bool // check no object of the instance's namespace, which is created later
}

// Options say how an instance is applied.
type Options struct {
	Adopt          Adopt // empty stands for AdoptNever
	AllowEmpty     bool  // a module that renders nothing removes everything
	Force          bool  // recreate an object when an immutable field changes
	ForceConflicts bool  // take over fields that another server-side applier owns

	// Replace selects objects that are deleted before what is new is applied:
	// those of the module are created again, those that left it make room.
	Replace []api.Target

	Prune     Prune       // empty stands for PruneAfterReady
	PruneAlso Unprotected // what is pruned although it is protected

	Wait              bool              // wait for each stage to become ready
	Timeout           time.Duration     // of the wait for one stage, 0 for ever
	WaitFor           []ready.WaitRule  // what is to hold of objects besides
	Expressions       ready.Expressions // evaluates what of WaitFor is in CEL
	ExistingNamespace bool              // refuse when the namespace of the instance does not exist
	ApplyTimeout      time.Duration     // of the plan, and of applying one stage; 0 for ever

	Concurrency  int          // maximum number of concurrent requests, 0 for DefaultConcurrency
	Holder       store.Holder // who applies, for the lock
	HistoryLimit int          // how many revisions are kept, with their values; 0 keeps none

	// Review is called with a plan that is not refused, before the first write;
	// its error ends the run. Nil for none.
	Review func(context.Context, *Plan) error

	// ReadOnly plans without asking the server to check: what exists is
	// updated, what does not is created.
	ReadOnly bool
}

// Step is one object of a plan.
type Step struct {
	Object   api.Object // as it will be sent
	Resource kube.Resource
	Action   event.Action
	Reason   string // why, empty when the action says it all
	Err      error  // why it was refused

	live        api.Object // what the server has of it, nil when it has nothing
	next        api.Object // what a dry run made of it, nil when there was none
	known       string     // the fingerprint that the last apply left, empty when it left none
	fingerprint string     // the fingerprint of the object as it was last known to be as wanted
	resolved    bool       // Resource is known
	manager     fieldset.Manager
	drop        *fieldpath.Set // defaults of the server that the write takes over and drops
	stage       int
	recorded    bool    // it is of a record, and not of the module
	unknown     string  // why it is unknown whether it, or what it holds, exists
	replaced    bool    // it is deleted before what is new is applied
	makesRoom   []*Step // what the plan has deferred because of this one
	roomMade    bool    // something is deleted by this run to make room for it
	gone        bool    // its live object was deleted by this run
	force       bool    // the write takes over the fields of other managers, as its dry run did
	reads       int     // how often it was read again because of conflicts
	noted       bool    // the ledger says that the instance shares it
	owner       string  // the instance that it is shared with, as NAMESPACE/NAME
}

// key is the object's id in inventory and ledger.
func (s *Step) key() string { return s.Object.ID().Entry("").ID }

// Ref names the step's object.
func (s *Step) Ref() event.Object { return s.Object.Ref() }

// States returns the live object and what it is to become: nil for one that
// does not exist or is to be deleted. What no dry run has shown is as it will
// be sent.
func (s *Step) States() (before, after api.Object) {
	switch {
	case s.Action == event.Deleted:
		return s.live, nil
	case s.Action == event.Unchanged, s.Action == event.Kept:
		return s.live, s.live
	case s.next != nil:
		return s.live, s.next
	}
	return s.live, s.Object
}

// Outcomes returns what was, or is to be, done with the object of each step.
func Outcomes(steps []*Step) []event.Outcome {
	outcomes := make([]event.Outcome, len(steps))
	for i, s := range steps {
		outcomes[i] = event.Outcome{Object: s.Ref(), Action: s.Action, Reason: s.Reason}
	}
	return outcomes
}

// Plan is what an apply would do.
type Plan struct {
	Steps []*Step // in the order of stages
	Prune []*Step // what is no longer in the module

	request    Request
	instance   api.Instance  // with its inventory
	record     *store.Record // nil when nothing is installed
	ledger     *store.Ledger
	newSpace   bool       // the instance's namespace does not exist
	created    api.Object // the namespace that the run has created
	allApplied bool       // the objects of all stages are
}

// All returns the steps of the plan and of the prune, in this order.
func (p *Plan) All() []*Step {
	return append(append([]*Step{}, p.Steps...), p.Prune...)
}

// Outcomes returns what was, or is to be, done with each object, and with the
// namespace if the run has created it.
func (p *Plan) Outcomes() []event.Outcome {
	outcomes := Outcomes(p.All())
	if p.created == nil {
		return outcomes
	}
	return append([]event.Outcome{{Object: p.created.Ref(), Action: event.Created}}, outcomes...)
}

// Refusal returns the reasons why the plan cannot be carried out, joined, or
// nil.
func (p *Plan) Refusal() error {
	var errs []error
	for _, s := range p.All() {
		errs = append(errs, s.Err)
	}
	return errors.Join(errs...)
}

// Apply plans and carries the plan out. Nothing is changed, except that a
// missing namespace is created and removed again, when the plan is refused.
func (e *Engine) Apply(ctx context.Context, req Request) (*Plan, error) {
	exists, err := e.namespaceExists(ctx, req.Instance.Metadata.Namespace)
	if err != nil {
		return nil, err
	}
	if !exists && req.ExistingNamespace {
		return nil, missingNamespace(req.Instance.Metadata.Namespace)
	}
	var created api.Object
	if !exists {
		// A plan that is refused without the namespace, or turned down in review,
		// does not create it: a namespace takes its time to go.
		first := req
		first.outside = req.Review == nil
		var plan *Plan
		if plan, err = e.planChecked(ctx, first, false); err != nil {
			return plan, err
		}
		req.Review = nil
		if created, err = e.createNamespace(ctx, req.Instance.Metadata.Namespace); err != nil {
			return nil, err
		}
	}
	plan, err := e.planChecked(ctx, req, true)
	if err != nil {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		return plan, kube.Join(err, e.removeNamespace(late, created))
	}
	plan.created = created
	if !plan.writes() {
		return plan, e.carryOut(ctx, plan)
	}
	m := req.Instance.Metadata
	err = e.locked(ctx, m, req.Holder, req.Timeout, func(ctx context.Context, taken bool) error {
		if plan, err = e.planAgain(ctx, plan, taken); err != nil {
			return err
		}
		plan.created = created
		return e.carryOut(ctx, plan)
	})
	return plan, err
}

// planChecked returns a plan that is neither refused nor turned down in review.
func (e *Engine) planChecked(ctx context.Context, req Request, exists bool) (*Plan, error) {
	plan, err := e.planInTime(ctx, req, exists)
	if err == nil {
		err = plan.Refusal()
	}
	if err == nil && req.Review != nil {
		err = req.Review(ctx, plan)
	}
	return plan, err
}

// writes says whether carrying the plan out changes anything in the cluster.
func (p *Plan) writes() bool {
	return !p.isRecorded() || slices.ContainsFunc(p.All(), func(s *Step) bool {
		return s.Action != event.Unchanged && s.Action != event.Kept
	})
}

// locked runs do while it holds the lock of an instance, and tells it whether
// the lock was another run's, which may have changed what was read before. Who may not lock is
// warned and works without: the rights on Leases are newer than those on the
// objects of an instance.
func (e *Engine) locked(ctx context.Context, m api.Metadata, h store.Holder, patience time.Duration, do func(_ context.Context, taken bool) error) (err error) {
	waiting := func(owner string) {
		e.Observer.Observe(event.Warning{Text: fmt.Sprintf("waiting for the lock of instance %q, which %s holds", m.Name, owner)})
	}
	held, lock, err := e.Store.Lock(ctx, m.Namespace, m.Name, h, patience, waiting)
	if apierrors.IsForbidden(err) {
		e.Observer.Observe(event.Warning{Text: "without a lock, so do not apply this instance twice at once: " + err.Error()})
		return do(ctx, false)
	}
	if err != nil {
		return err
	}
	defer func() {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		err = kube.Join(err, lock.Release(late))
	}()
	return do(held, lock.Taken())
}

// planAgain returns the plan, made again if another run had the lock or changed
// the record since.
func (e *Engine) planAgain(ctx context.Context, plan *Plan, taken bool) (*Plan, error) {
	m := plan.request.Instance.Metadata
	record, err := e.Store.Get(ctx, m.Namespace, m.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return plan, err
	}
	if !taken && record.Same(plan.record) {
		return plan, nil
	}
	again, err := e.planChecked(ctx, plan.request, true)
	if again == nil {
		again = plan
	}
	return again, err
}

func namespaces() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, Kind: "Namespace",
	}
}

// namespaceExists says whether a namespace is there. Who may not read it is
// taken at their word that it is: the rights of a namespace's admin do not
// include reading the Namespace.
func (e *Engine) namespaceExists(ctx context.Context, name string) (bool, error) {
	ns, err := e.Client.Get(ctx, namespaces(), "", name)
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case apierrors.IsForbidden(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("read namespace %q: %w", name, err)
	case ns.IsTerminating():
		return false, fmt.Errorf("namespace %q is being deleted: wait for that or use another one", name)
	}
	return true, nil
}

func missingNamespace(name string) error {
	return fail.Hint(fail.Refusedf("namespace %q does not exist, and --create-namespace=false does not create it", name),
		"kubectl create namespace %s", name)
}

// createNamespace creates a namespace that is missing, and returns it unless
// another client was faster.
func (e *Engine) createNamespace(ctx context.Context, name string) (api.Object, error) {
	ns, err := e.Client.Create(ctx, namespaces(), api.Object{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{api.LabelCreatedBy: api.CreatedBy}},
	}, kube.Real)
	if apierrors.IsAlreadyExists(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("create namespace %q: %w", name, err)
	}
	e.Observer.Observe(event.NamespaceCreated{Name: name})
	return ns, nil
}

// removeNamespace deletes a namespace that createNamespace created.
func (e *Engine) removeNamespace(ctx context.Context, created api.Object) error {
	if created == nil {
		return nil
	}
	if err := e.deleteLive(ctx, &Step{Object: created, Resource: namespaces(), live: created}); err != nil {
		return fmt.Errorf("remove namespace %q again: %w", created.Name(), err)
	}
	e.Observer.Observe(event.NamespaceRemoved{Name: created.Name()})
	return nil
}
