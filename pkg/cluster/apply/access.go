// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Access is a right that an apply needs, and the server's answer about it.
type Access struct {
	kube.Right
	Needed  bool   // false for one that an apply can do without
	Why     string // what it is for
	Allowed bool
	Reason  string // of the server, where it gives one
}

// Access asks the server about every right that an apply of the request needs:
// on the kinds that the module renders, on those that it would prune, and on
// what the record needs. It is asked per kind and, where a role may name
// objects, per object. What a right does not tell, as the rule that no user may
// grant more than they have, only the plan shows.
func (e *Engine) Access(ctx context.Context, req Request) ([]Access, error) {
	m := req.Instance.Metadata
	steps, err := e.prepare(req)
	if err != nil {
		return nil, err
	}
	exists, err := e.namespaceExists(ctx, m.Namespace)
	if err != nil {
		return nil, err
	}
	if err = e.readLive(ctx, m, steps); err != nil {
		return nil, err
	}
	wanted := recordRights(m, exists)
	for _, s := range steps {
		wanted = append(wanted, objectRights(s, req)...)
	}
	candidates, err := e.pruneCandidates(ctx, req, steps)
	if err != nil {
		return nil, err
	}
	for _, s := range candidates {
		if s.Resolved {
			wanted = append(wanted, rights(s, true, "to prune objects that are no longer rendered", "delete")...)
		}
	}
	wanted = unify(wanted)
	indexes := make([]int, len(wanted))
	for i := range indexes {
		indexes[i] = i
	}
	err = kube.Each(e.concurrency(), indexes, func(i int) (err error) {
		wanted[i].Allowed, wanted[i].Reason, err = e.Client.Allowed(ctx, wanted[i].Right)
		return err
	})
	return onePerRight(wanted), err
}

// readLive reads the live objects of steps, as far as the client may.
func (e *Engine) readLive(ctx context.Context, m api.Metadata, steps []*Step) error {
	ledger, err := e.Store.Ledger(ctx, m.Namespace, m.Name)
	if kube.IsForbidden(err) {
		ledger, err = &store.Ledger{}, nil
	}
	if err != nil {
		return err
	}
	return kube.Each(e.concurrency(), steps, func(s *Step) error {
		s.manager = survey.ManagerOf(e.Client, ledger)
		if !s.Resolved {
			return nil
		}
		live, err := e.Client.Get(ctx, s.Resource, s.Object.Namespace(), s.Object.Name())
		if apierrors.IsNotFound(err) || kube.IsForbidden(err) {
			return nil // it does not exist, or the missing right is told
		}
		s.Live = live
		return err
	})
}

// takesBack says whether an apply of the step moves fields of the live object
// first: no dry run of an apply shows that, so that an update is asked for.
func (s *Step) takesBack() bool {
	if s.Live == nil {
		return false
	}
	move, err := s.manager.Move(s.Live, nil)
	return err == nil && move.Entries != nil
}

// pruneCandidates returns what the record of the instance names in addition to the
// objects of the module. Who may not read the record learns that from the rest.
func (e *Engine) pruneCandidates(ctx context.Context, req Request, steps []*Step) ([]*survey.Item, error) {
	m := req.Instance.Metadata
	record, err := e.Store.Get(ctx, m.Namespace, m.Name)
	if errors.Is(err, store.ErrNotFound) || kube.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return e.candidates(record, steps)
}

func recordRights(m api.Metadata, exists bool) []Access {
	var wanted []Access
	add := func(gvr schema.GroupVersionResource, namespace, why string, needed bool, verbs ...string) {
		for _, verb := range verbs {
			wanted = append(wanted, Access{Right: kube.Right{Verb: verb, GroupVersionResource: gvr, Namespace: namespace}, Needed: needed, Why: why})
		}
	}
	core := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Version: "v1", Resource: resource}
	}
	if !exists {
		add(core("namespaces"), "", "the namespace does not exist", true, "create")
	}
	add(core("secrets"), m.Namespace, "the record of the instance", true, "get", "create", "update")
	leases := schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	add(leases, m.Namespace, "the lock of the instance", false, "get", "create", "update", "delete")
	add(core("pods"), m.Namespace, "to say why an object is not ready", false, "list", "watch")
	add(core("events"), m.Namespace, "to say why an object is not ready", false, "list", "watch")
	return wanted
}

// objectRights returns what applying one object needs. An apply lists the kind
// or, where it may not, gets each object; a wait has to list and to watch.
func objectRights(s *Step, req Request) []Access {
	if !s.Resolved {
		return nil // an earlier stage installs the kind
	}
	wanted := append(rights(&s.Item, true, "to apply it", "create", "patch", "get"),
		rights(&s.Item, !req.NoWait, "to wait for it", "list", "watch")...)
	wanted = append(wanted, rights(&s.Item, s.takesBack(), "to check what is taken back from other managers", "update")...)
	if req.Force || s.Object.IsEnabled(api.AnnotationForce) {
		wanted = append(wanted, rights(&s.Item, true, "to create it again", "delete")...)
	}
	return wanted
}

func rights(s *survey.Item, needed bool, why string, verbs ...string) []Access {
	wanted := make([]Access, len(verbs))
	for i, verb := range verbs {
		r := kube.Right{Verb: verb, GroupVersionResource: s.Resource.GroupVersionResource}
		if s.Resource.Namespaced {
			r.Namespace = s.Object.Namespace()
		}
		if verb == "get" || verb == "patch" || verb == "update" || verb == "delete" {
			r.Name = s.Object.Name()
		}
		wanted[i] = Access{Right: r, Needed: needed, Why: why}
	}
	return wanted
}

// unify returns each right once, needed if one of its like is, with those on a
// whole kind in addition to those on the objects of it.
func unify(wanted []Access) []Access {
	merged := map[kube.Right]Access{}
	merge := func(a Access) {
		old, there := merged[a.Right]
		if !there || a.Needed && !old.Needed {
			merged[a.Right] = a
		}
	}
	for _, a := range wanted {
		merge(a)
		a.Name = ""
		merge(a)
	}
	unique := make([]Access, 0, len(merged))
	for _, a := range merged {
		unique = append(unique, a)
	}
	slices.SortFunc(unique, func(a, b Access) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Verb, b.Verb))
	})
	return unique
}

// onePerRight leaves one answer for each right: that on the kind where it is
// given, or where no object's name would help, and else those on the objects.
func onePerRight(asked []Access) []Access {
	kinds := map[kube.Right]bool{}
	named := map[kube.Right]bool{}
	for _, a := range asked {
		kind := a.Right
		kind.Name = ""
		if a.Name == "" {
			kinds[kind] = a.Allowed
		} else if a.Allowed {
			named[kind] = true
		}
	}
	return slices.DeleteFunc(asked, func(a Access) bool {
		kind := a.Right
		kind.Name = ""
		byName := !kinds[kind] && named[kind] // a role names some of the objects
		return (a.Name != "") != byName
	})
}
