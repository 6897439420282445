// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Reader reads what objects own.
type Reader struct{ Client *kube.Client }

// maxLogs is the maximum number of containers whose last line is asked for.
const maxLogs = 5

// Owned is what a Reader has read.
type Owned struct {
	Objects []api.Object
	Unread  []string // what may not be read, such as "pods in namespace apps"
}

// Owned reads the objects that may be owned by others: one LIST for each of the
// keys.
func (r Reader) Owned(ctx context.Context, keys []kube.ListKey) (Owned, error) {
	var mu sync.Mutex
	var owned Owned
	err := kube.Each(kube.DefaultConcurrency, keys, func(key kube.ListKey) error {
		found, _, err := r.Client.List(ctx, key.Resource, key.Namespace, kube.Selector{})
		mu.Lock()
		defer mu.Unlock()
		if kube.IsForbidden(err) {
			owned.Unread = append(owned.Unread, key.Resource.Resource+" in namespace "+key.Namespace)
			return nil
		}
		for _, o := range found {
			if o.Kind() == "" { // of a list, not all servers name it
				o["apiVersion"], o["kind"] = key.Resource.GroupVersion().String(), key.Resource.Kind
			}
		}
		owned.Objects = append(owned.Objects, found...)
		return err
	})
	slices.Sort(owned.Unread)
	return owned, err
}

// Changes calls changed when an object may have changed that others own, until
// ctx ends: one WATCH for each kind and namespace.
func (r Reader) Changes(ctx context.Context, of []api.Object, changed func()) {
	for _, key := range Keys(of) {
		go ready.Watcher{Client: r.Client}.Feed(ctx, key, func(api.Object, bool) { changed() }, func(error) {})
	}
}

// Explain completes what is not ready in a forest with the newest warning about
// it, and with the last line of the log of a container that is to blame: one LIST
// for each namespace, and a request for each of a few containers. It returns what
// may not be read, such as "events in namespace apps".
func (r Reader) Explain(ctx context.Context, roots []*Node) (unread []string, err error) {
	events := map[string][]api.Object{}
	logs := 0
	for n := range All(roots) {
		if n.Live == nil || n.Status == string(api.HealthCurrent) {
			continue
		}
		ns := cmp.Or(n.Object.Namespace, "default") // where those about what is in no namespace are
		if _, read := events[ns]; !read {
			events[ns], _, err = r.Client.List(ctx, kube.Core("Event", "events"), ns, kube.Selector{Fields: "type=Warning"})
			switch {
			case kube.IsForbidden(err):
				unread = append(unread, "events in namespace "+ns)
			case err != nil:
				return nil, fmt.Errorf("list the events of namespace %q: %w", ns, err)
			}
		}
		n.Warning = newest(events[ns], n.Live)
		if _, container := ready.PodReason(n.Live); container != "" && n.Object.Kind == "Pod" && logs < maxLogs {
			logs++
			one := 1
			text, logErr := r.Client.Log(ctx, ns, n.Object.Name, kube.LogOptions{Container: container, Lines: &one, Bytes: 4 << 10})
			if kube.IsForbidden(logErr) { // otherwise it has none
				unread = append(unread, "logs in namespace "+ns)
			}
			n.LogLine = strings.TrimSpace(mask.WithoutSequences(text))
		}
	}
	slices.Sort(unread)
	return slices.Compact(unread), nil
}

// newest returns the text of the newest of events about an object.
func newest(events []api.Object, o api.Object) string {
	var last ready.Event
	for _, candidate := range events {
		about, _ := candidate["involvedObject"].(map[string]any)
		uid, _ := about["uid"].(string) // who writes an event by hand may leave it out
		e := ready.EventOf(candidate)
		isOf := e.Object.Kind == o.Kind() && e.Object.Name == o.Name() && (uid == "" || uid == kube.UID(o))
		if isOf && e.Time >= last.Time {
			last = e
		}
	}
	if last.Reason == "" {
		return ""
	}
	return last.Reason + ": " + last.Message
}

// Keys returns what is to be listed to find all that objects own.
func Keys(of []api.Object) []kube.ListKey {
	byNamespace := map[string][]api.Object{}
	var namespaces []string
	for _, o := range of {
		if ns := o.Namespace(); ns != "" {
			if byNamespace[ns] == nil {
				namespaces = append(namespaces, ns)
			}
			byNamespace[ns] = append(byNamespace[ns], o)
		}
	}
	var keys []kube.ListKey
	for _, ns := range namespaces {
		for _, k := range kinds() {
			if slices.ContainsFunc(byNamespace[ns], k.isMadeFor) {
				keys = append(keys, k.resource.ListKey(ns))
			}
		}
	}
	return keys
}

// PodKeys is Keys for what Pods descend from, and for the Jobs and Pods among the
// objects themselves.
func PodKeys(of []api.Object) []kube.ListKey {
	keys := slices.DeleteFunc(Keys(of), func(k kube.ListKey) bool {
		return k.Resource.Kind == "EndpointSlice" || k.Resource.Kind == "PersistentVolumeClaim"
	})
	for _, o := range of {
		for _, k := range kinds() {
			key := k.resource.ListKey(o.Namespace())
			if o.Is("batch", "Job") && k.resource.Kind == "Job" && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// kind is a kind of objects that others own.
type kind struct {
	resource  kube.Resource
	isMadeFor func(api.Object) bool // it is made for such an object, or for what that owns
}

func kinds() []kind {
	custom := func(o api.Object) bool { return !api.IsBuiltIn(o.Group()) }
	runs := func(o api.Object) bool {
		return custom(o) || o.Group() == "apps" || o.Group() == "batch" || o.Is("", "Pod") || o.Is("", "ReplicationController")
	}
	resource := func(group, name, plural string) kube.Resource {
		gv := schema.GroupVersion{Group: group, Version: "v1"}
		return kube.Resource{GroupVersionResource: gv.WithResource(plural), Kind: name, Namespaced: true}
	}
	return []kind{
		{resource("apps", "Deployment", "deployments"), custom},
		{resource("apps", "StatefulSet", "statefulsets"), custom},
		{resource("apps", "DaemonSet", "daemonsets"), custom},
		{resource("apps", "ReplicaSet", "replicasets"), func(o api.Object) bool { return custom(o) || o.Is("apps", "Deployment") }},
		{resource("batch", "Job", "jobs"), func(o api.Object) bool { return custom(o) || o.Is("batch", "CronJob") }},
		{kube.Core("Pod", "pods"), runs},
		{resource("discovery.k8s.io", "EndpointSlice", "endpointslices"), func(o api.Object) bool { return custom(o) || o.Is("", "Service") }},
		{kube.Core("PersistentVolumeClaim", "persistentvolumeclaims"), runs},
	}
}

// Lineage finds out, as objects come, which of them are owned, directly or not,
// by some that are known. It is not safe for concurrent use.
type Lineage struct {
	known   map[string]string                // namespaces by uid
	foreign map[string]bool                  // uids of what others own, as far as is known
	waiting map[string]map[string]api.Object // by the uid of an owner that is not known, and their own
}

// NewLineage returns a Lineage for roots.
func NewLineage(roots []api.Object) *Lineage {
	l := &Lineage{known: map[string]string{}, foreign: map[string]bool{}, waiting: map[string]map[string]api.Object{}}
	for _, o := range roots {
		l.known[kube.UID(o)] = o.Namespace()
	}
	return l
}

// Add returns the objects that are known by now because of one more: none, or
// that and those that waited for it.
func (l *Lineage) Add(o api.Object) []api.Object {
	uid := kube.UID(o)
	if !l.knows(uid) && !slices.ContainsFunc(owners(o), func(owner string) bool { return l.knows(owner) && mayOwn(l.known[owner], o) }) {
		for _, owner := range owners(o) {
			l.foreign[uid] = true
			if l.waiting[owner] == nil {
				l.waiting[owner] = map[string]api.Object{}
			}
			l.waiting[owner][uid] = o
		}
		return nil
	}
	l.known[uid] = o.Namespace()
	delete(l.foreign, uid)
	found := []api.Object{o}
	waited := l.waiting[uid]
	delete(l.waiting, uid)
	for _, w := range waited {
		found = append(found, l.Add(w)...)
	}
	return found
}

func (l *Lineage) knows(uid string) bool {
	_, known := l.known[uid]
	return known
}

// IsOf says whether an event is about an object that is known, or about one that
// is no more and was named after one of roots.
func (l *Lineage) IsOf(e api.Object, roots []event.Object) bool {
	about, _ := e["involvedObject"].(map[string]any)
	switch uid, _ := about["uid"].(string); {
	case l.knows(uid):
		return true
	case l.foreign[uid]:
		return false
	}
	return slices.ContainsFunc(roots, func(o event.Object) bool { return ready.IsAbout(ready.EventOf(e).Object, o) })
}
