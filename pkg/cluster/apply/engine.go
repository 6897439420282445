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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/removal"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Engine applies instances to one cluster.
type Engine struct {
	Client   *kube.Client
	Store    store.Store
	Observer event.Observer // nil discards all events

	// Along accompanies the waits; nil for none.
	Along ready.Companion

	// Spaces remembers which namespaces exist, for several engines of one run; nil
	// remembers none.
	Spaces *Spaces

	// Concurrency is the maximum number of concurrent requests, 0 stands for
	// kube.DefaultConcurrency.
	Concurrency int
}

func (e *Engine) concurrency() int {
	if e.Concurrency > 0 {
		return e.Concurrency
	}
	return kube.DefaultConcurrency
}

// reader returns what finds the objects of an instance.
func (e *Engine) reader() survey.Reader {
	return survey.Reader{Client: e.Client, Concurrency: e.concurrency()}
}

// remover returns what deletes them.
func (e *Engine) remover() removal.Remover {
	return removal.Remover{Reader: e.reader(), Store: e.Store, Observer: e.Observer}
}

// observe tells the observer what happens, if there is one.
func (e *Engine) observe(happened event.Event) {
	if e.Observer != nil {
		e.Observer.Observe(happened)
	}
}

// warn tells the observer what the user should know.
func (e *Engine) warn(text string) { e.observe(event.Warning{Text: text}) }

// New returns an Engine for the cluster that the client reaches. A nil observer
// discards all events.
func New(client *kube.Client, observer event.Observer) *Engine {
	return &Engine{Client: client, Store: store.New(client), Observer: observer}
}

func namespaces() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, Kind: "Namespace",
	}
}

// checkNamespace says whether the namespace of the instance exists, and refuses
// one that does not where the request says so.
func (e *Engine) checkNamespace(ctx context.Context, req Request) (bool, error) {
	exists, err := e.namespace(ctx, req)
	if err == nil && !exists && req.ExistingNamespace {
		err = &MissingNamespaceError{Name: req.Instance.Metadata.Namespace}
	}
	return exists, err
}

// Spaces are namespaces that are known to exist. It is safe for concurrent use.
type Spaces struct{ known kube.Answers[bool] }

// namespaceExists says whether a namespace is there. One that is not may be
// created: it is read again.
func (e *Engine) namespaceExists(ctx context.Context, name string) (bool, error) {
	read := func() (bool, error) { return e.readNamespace(ctx, name) }
	if e.Spaces == nil {
		return read()
	}
	return e.Spaces.known.Ask(ctx, name, read, func(exists bool) bool { return exists })
}

// readNamespace asks whether a namespace is there. Who may not read it is taken
// at their word that it is: the rights of a namespace's admin do not include
// reading the Namespace.
func (e *Engine) readNamespace(ctx context.Context, name string) (bool, error) {
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
	e.observe(event.NamespaceCreated{Name: name})
	return ns, nil
}

// Missing returns which of the namespaces do not exist, and refuses them if that
// is asked for.
func (e *Engine) Missing(ctx context.Context, names []string, refuse bool) ([]string, error) {
	var missing []string
	for _, name := range names {
		exists, err := e.namespaceExists(ctx, name)
		if err == nil && !exists && refuse {
			err = &MissingNamespaceError{Name: name}
		}
		if err != nil {
			return nil, err
		}
		if !exists {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// CreateNamespaces creates namespaces. undo removes those that it created.
func (e *Engine) CreateNamespaces(ctx context.Context, names []string) (undo func() error, err error) {
	var all []api.Object
	undo = func() error {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		var errs []error
		for _, created := range all {
			errs = append(errs, e.removeNamespace(late, created))
		}
		return errors.Join(errs...)
	}
	for _, name := range names {
		created, err := e.createNamespace(ctx, name)
		if err != nil {
			return undo, err
		}
		all = append(all, created)
	}
	return undo, nil
}

// removeNamespace deletes a namespace that createNamespace created.
func (e *Engine) removeNamespace(ctx context.Context, created api.Object) error {
	if created == nil {
		return nil
	}
	s := &survey.Item{Object: created, Resource: namespaces(), Live: created}
	if err := e.remover().DeleteLive(ctx, s); err != nil {
		return fmt.Errorf("remove namespace %q again: %w", created.Name(), err)
	}
	e.observe(event.NamespaceRemoved{Name: created.Name()})
	return nil
}
