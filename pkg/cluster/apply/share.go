// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// A CustomResourceDefinition exists once per cluster, and a module that renders
// one can be installed many times: the instance that created it owns it, and
// other instances of the module share it as long as it serves them. A user
// notes the owner in its ledger. Its inventory does not name the definition:
// every tool that reads records would prune it.

// decideForeign decides a step whose object belongs to another owner: it is
// refused, unless it is a definition that the instance may share.
func (e *Engine) decideForeign(ctx context.Context, req Request, s *Step, refusal error) error {
	owner := ownership.Instance(s.Live)
	if !s.Live.IsCRD() || owner.Name == "" || api.AnySelects(req.Replace, s.Ref()) {
		s.refuse(refusal)
		return nil
	}
	record, err := e.Store.Get(ctx, owner.Namespace, owner.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e.decideAbandoned(ctx, req, s, refusal)
	case kube.IsForbidden(err) && s.noted:
		return e.decideShared(ctx, req, s, nil)
	case kube.IsForbidden(err):
		s.refuse(fail.Refusedf("%s belongs to instance %s, and whether that is of the same module cannot be read: %w", s.Ref(), ownership.Key(owner), err))
		return nil
	case err != nil:
		return s.recordVerdict(fmt.Errorf("it belongs to instance %s: %w", ownership.Key(owner), err))
	case !s.noted && !ownership.SameModule(record.Instance.Module, req.Instance.Module):
		s.refuse(fail.Refusedf("%s belongs to instance %s of module %s: only instances of one module share a CustomResourceDefinition, "+
			"leave it out of module %s", s.Ref(), ownership.Key(owner), record.Instance.Module.Name, req.Instance.Module.Name))
		return nil
	case !s.noted && (record.Deleting || s.Live.IsTerminating()):
		s.refuse(fail.Refusedf("%s belongs to instance %s, which is being deleted: apply again when it is gone", s.Ref(), ownership.Key(owner)))
		return nil
	}
	return e.decideShared(ctx, req, s, record)
}

// decideShared decides a step whose definition belongs to another instance of
// the module, whose record is nil when it may not be read. A definition that is
// equal is shared. One that has changed since is shared further, as only its
// owner changes it, while it serves every version that the module renders: what
// it makes of the objects, their own dry runs show.
func (e *Engine) decideShared(ctx context.Context, req Request, s *Step, owner *store.Record) error {
	if req.ReadOnly {
		s.share()
		return nil
	}
	got, err := e.Client.Apply(ctx, s.Resource, s.pinned(), true, kube.DryRun)
	switch {
	case apierrors.IsConflict(err):
		return e.readAgain(ctx, req, s)
	case err == nil && reflect.DeepEqual(got["spec"], s.Live["spec"]):
		s.share()
		return nil
	case err != nil && !apierrors.IsInvalid(err) && !(s.noted && kube.IsForbidden(err)):
		return s.recordVerdict(err)
	case got == nil:
		got = s.Object
	}
	differing := kinds.Differences(got, s.Live)
	if missing := kinds.Unserved(got, s.Live); !s.noted || len(missing) > 0 {
		s.refuse(differs(s, owner, differing))
		return nil
	}
	s.share()
	if len(differing) > 0 {
		e.observe(event.Warning{Text: fmt.Sprintf("%s is not as the module renders it: %s; only its owner, instance %s, changes it",
			s.Ref(), strings.Join(differing, ", "), s.owner)})
	}
	return nil
}

// share leaves a definition as it is.
func (s *Step) share() {
	s.owner = ownership.Key(ownership.Instance(s.Live))
	s.Action, s.Reason = event.Unchanged, "shared with instance "+s.owner
}

// decideAbandoned decides a step whose definition belongs to an instance that
// is no longer installed. A user of it becomes its owner; so does an instance
// that would change nothing but the owner.
func (e *Engine) decideAbandoned(ctx context.Context, req Request, s *Step, refusal error) error {
	owner := ownership.Key(ownership.Instance(s.Live))
	if !req.ReadOnly && !s.noted {
		got, err := e.Client.Apply(ctx, s.Resource, s.pinned(), true, kube.DryRun)
		if apierrors.IsConflict(err) {
			return e.readAgain(ctx, req, s)
		}
		if err != nil || !reflect.DeepEqual(got["spec"], s.Live["spec"]) {
			s.refuse(fmt.Errorf("%w, which is not installed any more", refusal))
			return nil //nolint:nilerr // a refusal stands in the step
		}
	}
	s.Action, s.Reason = event.Configured, fmt.Sprintf("its owner, instance %s, is not installed any more: this instance owns it now", owner)
	if req.ReadOnly {
		return nil
	}
	reason := s.Reason
	err := e.decideUpdate(ctx, req, s)
	if s.Err == nil {
		s.Reason = reason
	}
	return err
}

// differs returns the refusal of a definition that is not equal.
func differs(s *Step, owner *store.Record, differing []string) error {
	e := &DefinitionError{Object: s.Ref(), Owner: ownership.Key(ownership.Instance(s.Live)), Differences: differing}
	if owner != nil {
		e.Version = owner.Instance.Module.Version
	}
	return e
}

// disown leaves out of the inventory what another instance owns.
func (p *Plan) disown() {
	shared := p.shared()
	p.instance.Inventory.Entries = slices.DeleteFunc(p.instance.Inventory.Entries, func(entry api.Entry) bool {
		return shared[entry.ID] != ""
	})
}

// shared returns the owners of the definitions that the instance shares.
func (p *Plan) shared() map[string]string {
	shared := map[string]string{}
	for _, s := range p.Steps {
		if s.owner != "" {
			shared[s.Key()] = s.owner
		}
	}
	return shared
}
