// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// clues is where the reasons come from why an object is not ready.
type clues interface {
	// pods returns the pods of a namespace that a label selector selects.
	pods(ctx context.Context, namespace, selector string) []api.Object
	// event returns the newest event that tells what is wrong with an object,
	// nil when there is none.
	event(ctx context.Context, o api.Object) api.Object
}

// asked asks the server for each clue. What may not be read is left out: the
// reason is only a help.
type asked struct{ client *kube.Client }

func (a asked) pods(ctx context.Context, namespace, selector string) []api.Object {
	pods, _, err := a.client.List(ctx, kube.Core("Pod", "pods"), namespace, kube.Selector{Labels: selector})
	if err != nil {
		return nil
	}
	return pods
}

func (a asked) event(ctx context.Context, o api.Object) api.Object {
	events, _, err := a.client.List(ctx, kube.Core("Event", "events"), o.Namespace(),
		kube.Selector{Fields: "involvedObject.uid=" + kube.UID(o)})
	events = slices.DeleteFunc(events, func(e api.Object) bool { return !tells(e) })
	if err != nil || len(events) == 0 {
		return nil
	}
	return slices.MaxFunc(events, func(a, b api.Object) int { return strings.Compare(eventTime(a), eventTime(b)) })
}

// tells says whether an event is about what is wrong. The controller of claims
// reports what it lacks as normal.
func tells(event api.Object) bool {
	return text(event, "type") == "Warning" || involved(event).Kind == "PersistentVolumeClaim"
}

// watched keeps the clues that watches bring, so that a reason is known as soon
// as the cluster says it, without a request for each object.
type watched struct {
	byID   map[api.ID]api.Object // the pods
	events map[string]api.Object // the newest by the uid of the object that it is about
}

// clue is a pod or an event that was read; gone when it was deleted. Or it says
// that those of a namespace may not be read.
type clue struct {
	object            api.Object
	gone              bool
	unread, namespace string
}

// learn takes a clue in.
func (w watched) learn(c clue) {
	switch {
	case c.object.Kind() == "Pod" && c.gone:
		delete(w.byID, c.object.ID())
	case c.object.Kind() == "Pod":
		w.byID[c.object.ID()] = c.object
	case !c.gone && tells(c.object):
		uid, _, _ := unstructured.NestedString(c.object, "involvedObject", "uid")
		if old := w.events[uid]; old == nil || eventTime(old) <= eventTime(c.object) {
			w.events[uid] = c.object
		}
	}
}

func (w watched) pods(_ context.Context, namespace, selector string) []api.Object {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return nil
	}
	var pods []api.Object
	for _, pod := range w.byID {
		set, _, _ := unstructured.NestedStringMap(pod, "metadata", "labels")
		if pod.Namespace() == namespace && parsed.Matches(labels.Set(set)) {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b api.Object) int { return strings.Compare(a.Name(), b.Name()) })
	return pods
}

func (w watched) event(_ context.Context, o api.Object) api.Object { return w.events[kube.UID(o)] }

// watchClues sends the pods of workloads that are not ready, and the events of
// their namespaces, until ctx ends. Who accompanies the wait gets all events, by
// the same number of watches or fewer.
func (w Watcher) watchClues(ctx context.Context, items []*Item) <-chan clue {
	out := make(chan clue)
	follow := func(r kube.Resource, namespace string, s kube.Selector, later *kube.Selector) {
		go follower{
			client: w.Client, key: r.ListKey(namespace), selector: s, later: later,
			listed: func(list []api.Object) {
				for _, o := range list {
					send(ctx, out, clue{object: o})
				}
			},
			changed: func(o api.Object, gone bool) { send(ctx, out, clue{object: o, gone: gone}) },
			failed:  func(error) { send(ctx, out, clue{unread: r.Kind, namespace: namespace}) },
		}.run(ctx)
	}
	for namespace, live := range byNamespace(items) {
		selectors := podSelectors(live)
		if w.Along != nil && len(selectors) > 1 {
			selectors = []string{""} // one watch
		}
		for _, selector := range selectors {
			follow(kube.Core("Pod", "pods"), namespace, kube.Selector{Labels: selector}, nil)
		}
		events := kube.Core("Event", "events")
		claims := slices.ContainsFunc(live, api.Object.IsClaim)
		switch warnings := (kube.Selector{Fields: "type=Warning"}); {
		case w.Along == nil:
			follow(events, namespace, warnings, nil)
			if claims {
				follow(events, namespace, kube.Selector{Fields: "involvedObject.kind=PersistentVolumeClaim"}, nil)
			}
		case claims:
			follow(events, namespace, kube.Selector{}, nil)
		default:
			follow(events, namespace, warnings, &kube.Selector{})
		}
	}
	return out
}

// byNamespace groups the live objects of items that are in a namespace.
func byNamespace(items []*Item) map[string][]api.Object {
	objects := map[string][]api.Object{}
	for _, i := range items {
		if ns := i.Object.Namespace(); ns != "" && i.Live != nil {
			objects[ns] = append(objects[ns], i.Live)
		}
	}
	return objects
}

// podSelectors returns few label selectors that together select the pods of
// all workloads, and maybe others: usually one, by the label key that all of
// the workloads have in common.
func podSelectors(workloads []api.Object) []string {
	left := map[string]map[string]string{} // labels by their text
	for _, o := range workloads {
		if set := podLabels(o); len(set) > 0 {
			left[labels.Set(set).String()] = set
		}
	}
	var selectors []string
	for len(left) > 0 {
		key := commonKey(slices.Collect(maps.Values(left)))
		var values []string
		for text, set := range left {
			if value, ok := set[key]; ok {
				values = append(values, value)
				delete(left, text)
			}
		}
		slices.Sort(values)
		selectors = append(selectors, key+" in ("+strings.Join(slices.Compact(values), ",")+")")
	}
	return selectors
}

// commonKey returns the key that most of the label sets have.
func commonKey(sets []map[string]string) string {
	counts := map[string]int{}
	for _, set := range sets {
		for key := range set {
			counts[key]++
		}
	}
	keys := slices.Sorted(maps.Keys(counts))
	return slices.MaxFunc(keys, func(a, b string) int { return counts[a] - counts[b] })
}

// Selects says whether a pod is one that a workload of Kubernetes selects.
func Selects(workload, pod api.Object) bool {
	if workload.Is("", "Pod") {
		return kube.UID(workload) == kube.UID(pod)
	}
	want := podLabels(workload)
	set, _, _ := unstructured.NestedStringMap(pod, "metadata", "labels")
	return len(want) > 0 && workload.Namespace() == pod.Namespace() && labels.SelectorFromSet(want).Matches(labels.Set(set))
}

// podLabels returns the labels that a workload of Kubernetes selects its pods by.
func podLabels(o api.Object) map[string]string {
	if !api.IsBuiltIn(o.Group()) {
		return nil
	}
	set, _, _ := unstructured.NestedStringMap(o, "spec", "selector", "matchLabels")
	return set
}
