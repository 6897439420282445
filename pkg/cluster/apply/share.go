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

// sameModule says whether two instances are of one module, whatever its
// version. A name that is no module path, as that of a kustomization, says
// nothing without the repository.
func sameModule(a, b api.Module) bool {
	return a.Name == b.Name && (strings.Contains(a.Name, ".") || a.Repository == b.Repository)
}

// decideForeign decides a step whose object belongs to another owner: it is
// refused, unless it is a definition that the instance may share.
func (e *Engine) decideForeign(ctx context.Context, req Request, s *Step, refusal error) error {
	owner := ownership.Instance(s.live)
	if !kinds.IsCRD(s.live) || owner.Name == "" || api.AnySelects(req.Replace, s.Ref()) {
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
	case !s.noted && !sameModule(record.Instance.Module, req.Instance.Module):
		s.refuse(fail.Refusedf("%s belongs to instance %s of module %s: only instances of one module share a CustomResourceDefinition, "+
			"leave it out of module %s", s.Ref(), ownership.Key(owner), record.Instance.Module.Name, req.Instance.Module.Name))
		return nil
	case !s.noted && (record.Deleting || s.live.IsTerminating()):
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
	case err == nil && reflect.DeepEqual(got["spec"], s.live["spec"]):
		s.share()
		return nil
	case err != nil && !apierrors.IsInvalid(err) && !(s.noted && kube.IsForbidden(err)):
		return s.recordVerdict(err)
	case got == nil:
		got = s.Object
	}
	differing := kinds.Differences(got, s.live)
	if missing := kinds.Unserved(got, s.live); !s.noted || len(missing) > 0 {
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
	s.owner = ownership.Key(ownership.Instance(s.live))
	s.Action, s.Reason = event.Unchanged, "shared with instance "+s.owner
}

// decideAbandoned decides a step whose definition belongs to an instance that
// is no longer installed. A user of it becomes its owner; so does an instance
// that would change nothing but the owner.
func (e *Engine) decideAbandoned(ctx context.Context, req Request, s *Step, refusal error) error {
	owner := ownership.Key(ownership.Instance(s.live))
	if !req.ReadOnly && !s.noted {
		got, err := e.Client.Apply(ctx, s.Resource, s.pinned(), true, kube.DryRun)
		if apierrors.IsConflict(err) {
			return e.readAgain(ctx, req, s)
		}
		if err != nil || !reflect.DeepEqual(got["spec"], s.live["spec"]) {
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
	e := &DefinitionError{Object: s.Ref(), Owner: ownership.Key(ownership.Instance(s.live)), Differences: differing}
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
			shared[s.key()] = s.owner
		}
	}
	return shared
}

// keepShared keeps those of the definitions to be deleted that another
// instance shares: to know, it has to see the records of the whole cluster. Who
// may not list them deletes no definition.
func (e *Engine) keepShared(ctx context.Context, m api.Metadata, steps []*Step) error {
	doomed := slices.DeleteFunc(slices.Clone(steps), func(s *Step) bool { return s.Action != event.Deleted || !kinds.IsCRD(s.live) })
	if len(doomed) == 0 {
		return nil
	}
	records, err := e.Store.List(ctx, "", "")
	bad, err := store.Unreadable(err)
	var ledgers map[string]*store.Ledger
	if err == nil {
		ledgers, err = e.Store.Ledgers(ctx)
	}
	if err != nil && !kube.IsForbidden(err) && records == nil {
		return err
	}
	for _, s := range doomed {
		reason, unknown := userOf(s, m, records, ledgers), err
		if reason == "" && unknown == nil {
			unknown = e.userUnread(ctx, s, bad)
		}
		if unknown != nil {
			reason = "another instance may share it, which cannot be found out: " + unknown.Error()
			e.observe(event.Warning{Text: s.Ref().String() + " is kept: " + reason})
		}
		if reason != "" {
			s.Action, s.Reason = event.Kept, reason
		}
	}
	return nil
}

// keepSharedSince keeps those of the definitions to be deleted that another
// instance has begun to share since the plan: the objects of a stage may take
// long to go, and the version of a definition does not tell its users.
func (e *Engine) keepSharedSince(ctx context.Context, steps []*Step) error {
	i := slices.IndexFunc(steps, func(s *Step) bool { return s.Action == event.Deleted && kinds.IsCRD(s.live) })
	if i < 0 {
		return nil
	}
	return e.keepShared(ctx, ownership.Instance(steps[i].live), steps)
}

// userUnread returns why it is unknown whether an instance whose record cannot
// be read shares the definition of a step: it has objects of the kind. One
// broken record must not keep every definition of the cluster.
func (e *Engine) userUnread(ctx context.Context, s *Step, bad []*store.UnreadableError) error {
	if len(bad) == 0 {
		return nil
	}
	list, err := e.listKind(ctx, s.live)
	if err != nil {
		return err
	}
	for _, record := range bad {
		if slices.ContainsFunc(list, func(o api.Object) bool { return ownership.Is(o, record.Instance()) }) {
			return record
		}
	}
	return nil
}

// userOf returns which instance other than m shares the definition of a step,
// or may do so because it has objects of the kind and its ledger does not say;
// empty when there is none.
func userOf(s *Step, m api.Metadata, records []*store.Record, ledgers map[string]*store.Ledger) string {
	var module api.Module
	for _, r := range records {
		if ownership.Key(r.Instance.Metadata) == ownership.Key(m) {
			module = r.Instance.Module
		}
	}
	for _, r := range records {
		name := ownership.Key(r.Instance.Metadata)
		if name == ownership.Key(m) {
			continue
		}
		shares, known := ledgers[name].Shares(r, s.key())
		switch {
		case shares:
			return "shared with instance " + name
		case !known && sameModule(r.Instance.Module, module) && hasKind(r, s.live):
			return "instance " + name + " of the same module may share it"
		}
	}
	return ""
}

// hasKind says whether a record names objects of the kind that crd defines.
func hasKind(r *store.Record, crd api.Object) bool {
	gk, _ := kinds.Defined(crd)
	return slices.ContainsFunc(r.Inventory(), func(entry api.Entry) bool {
		id, err := entry.Parse()
		return err == nil && id.Group == gk.Group && id.Kind == gk.Kind
	})
}
