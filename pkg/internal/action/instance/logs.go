// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/follow"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/tree"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// LogsRequest names an instance and says which logs to read.
type LogsRequest struct {
	Key
	Object    *api.Target // of the instance or made for it, nil for all
	Container string      // empty for all
	Follow    bool
	Previous  bool // of the containers before they were started again
	Since     time.Duration
	Tail      *int // lines of each container, nil for all
}

// maxFollowed is the maximum number of logs that are followed at once.
const maxFollowed = 100

// Logs tells the observer the lines of the logs of all containers of an instance,
// one container after the other, or with Follow as they come.
func Logs(ctx context.Context, client *kube.Client, req LogsRequest, observer event.Observer) error {
	report, live, err := roots(ctx, client, req.Key)
	if err != nil {
		return err
	}
	owned, err := tree.Reader{Client: client}.Owned(ctx, tree.PodKeys(live))
	if err != nil {
		return err
	}
	if owned.Unread != nil {
		return fmt.Errorf("find the Pods of %s: the right to list %s is missing", req.Name, strings.Join(owned.Unread, " and "))
	}
	tree.Grow(report.Roots, owned.Objects, time.Now())
	selected, err := req.selects(report.Roots)
	if err != nil {
		return err
	}
	t := &tail{client: client, req: req, observer: observer, opened: map[string]bool{}}
	if req.Follow {
		return t.follow(ctx, selected)
	}
	for n := range tree.All(selected) {
		if n.Object.Kind == "Pod" && n.Live != nil {
			if err = errors.Join(err, t.readPod(ctx, n.Live)); kube.IsForbidden(err) {
				return err // so are the others
			}
		}
	}
	if err == nil && len(t.opened) == 0 {
		observer.Observe(event.Note{Text: "no container has a log yet"})
	}
	return err
}

// selects returns the roots of what is asked for.
func (r LogsRequest) selects(roots []*tree.Node) ([]*tree.Node, error) {
	if r.Object == nil {
		return roots, nil
	}
	var found []*tree.Node
	for n := range tree.All(roots) {
		if r.Object.Selects(n.Object) {
			found = append(found, n)
		}
	}
	if found == nil {
		return nil, fail.Hint(fmt.Errorf("%s is no object of instance %q, nor made for one", r.Object, r.Name),
			"see its objects with 'kubectl timoni inspect resources %s -n %s'", r.Name, r.Namespace)
	}
	return found, nil
}

// tail tells the logs of containers.
type tail struct {
	client   *kube.Client
	req      LogsRequest
	observer event.Observer
	opened   map[string]bool // by Pod, container and restarts
	followed int
	streams  sync.WaitGroup
}

// next returns the containers of a Pod whose logs were not read yet.
func (t *tail) next(pod api.Object) []follow.State {
	var all []follow.State
	for _, s := range follow.StatesOf(pod) {
		key := fmt.Sprintf("%s/%s/%d", kube.UID(pod), s.Name, s.Restarts)
		if t.opened[key] || t.req.Container != "" && t.req.Container != s.Name || t.req.Previous && s.Restarts == 0 {
			continue
		}
		t.opened[key] = true
		all = append(all, s)
	}
	return all
}

func (t *tail) readPod(ctx context.Context, pod api.Object) (err error) {
	for _, s := range t.next(pod) {
		if err = errors.Join(err, t.read(ctx, pod, s)); kube.IsForbidden(err) {
			return err
		}
	}
	return err
}

// read tells the log of one container. One that is gone by now has none.
func (t *tail) read(ctx context.Context, pod api.Object, s follow.State) error {
	line := func(text string) {
		t.observer.Observe(event.Logged{Pod: pod.Ref(), Container: s.Name, Text: text})
	}
	explain := func(err error) error {
		return fmt.Errorf("log of container %q of %s: %w", s.Name, pod.Ref(), err)
	}
	o := kube.LogOptions{Container: s.Name, Since: t.req.Since, Lines: t.req.Tail, Previous: t.req.Previous}
	var err error
	if t.req.Follow && s.Running {
		broke := func(err error) { t.observer.Observe(event.Warning{Text: explain(err).Error() + ": trying again"}) }
		err = (&follow.Log{Client: t.client, Pod: pod, Container: s, Line: line, Broke: broke}).Follow(ctx, o)
	} else {
		err = follow.ReadLog(ctx, t.client, pod.Ref(), o, line)
	}
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		return explain(err)
	}
	return nil
}

// change is a new state of an object that may be owned.
type change struct {
	object api.Object
	err    error
}

// follow tells the logs of the containers that there are and of those that come,
// until ctx ends or, if Jobs and Pods alone are followed, they have ended.
func (t *tail) follow(ctx context.Context, roots []*tree.Node) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var live []api.Object
	open := map[string]bool{} // what has not ended, by uid
	for _, n := range roots {
		if n.Live != nil {
			live = append(live, n.Live)
			open[kube.UID(n.Live)] = true
		}
	}
	if len(tree.PodKeys(live)) == 0 {
		t.observer.Observe(event.Note{Text: "the objects make no Pods"})
		return nil
	}
	lineage := tree.NewLineage(live)
	changes := t.changes(ctx, live)
	for len(open) > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c := <-changes:
			if c.err != nil {
				return c.err
			}
			for _, o := range lineage.Add(c.object) {
				t.start(ctx, o)
				if hasEnded(o) {
					delete(open, kube.UID(o))
				}
			}
		}
	}
	// What has ended may have done so before its Pods were seen.
	owned, err := tree.Reader{Client: t.client}.Owned(ctx, tree.PodKeys(live))
	for _, last := range owned.Objects {
		for _, o := range lineage.Add(last) {
			t.start(ctx, o)
		}
	}
	t.streams.Wait()
	return err
}

// changes returns a channel with the objects that Pods descend from, as they are
// and as they change.
func (t *tail) changes(ctx context.Context, live []api.Object) <-chan change {
	out := make(chan change)
	send := func(c change) {
		select {
		case out <- c:
		case <-ctx.Done():
		}
	}
	var once sync.Once
	broken := func(err error) {
		once.Do(func() { t.observer.Observe(event.Warning{Text: fmt.Sprintf("find new Pods: %v: trying again", err)}) })
	}
	for _, key := range tree.PodKeys(live) {
		go ready.Watcher{Client: t.client, Broken: broken}.Feed(ctx, key,
			func(o api.Object, gone bool) {
				if !gone {
					send(change{object: o})
				}
			},
			func(err error) {
				send(change{err: fmt.Errorf("watch %s of namespace %q: %w", key.Resource.Resource, key.Namespace, err)})
			})
	}
	return out
}

// start follows the logs of an object that are not followed yet, if it is a Pod.
func (t *tail) start(ctx context.Context, pod api.Object) {
	if !pod.Is("", "Pod") {
		return
	}
	for _, s := range t.next(pod) {
		if t.followed++; t.followed > maxFollowed {
			if t.followed == maxFollowed+1 {
				t.observer.Observe(event.Warning{Text: fmt.Sprintf("the logs of more than %d containers are not followed: name a KIND/NAME or a container", maxFollowed)})
			}
			return
		}
		t.streams.Go(func() {
			if err := t.read(ctx, pod, s); err != nil {
				t.observer.Observe(event.Warning{Text: err.Error()})
			}
		})
	}
}

// hasEnded says whether an object is a Pod or a Job that runs no more.
func hasEnded(o api.Object) bool {
	switch {
	case o.Is("", "Pod"):
		phase, _, _ := unstructured.NestedString(o, "status", "phase")
		return phase == "Succeeded" || phase == "Failed"
	case o.Is("batch", "Job"):
		conditions, _, _ := unstructured.NestedSlice(o, "status", "conditions")
		return slices.ContainsFunc(conditions, func(c any) bool {
			condition, _ := c.(map[string]any)
			return condition["status"] == "True" && (condition["type"] == "Complete" || condition["type"] == "Failed")
		})
	}
	return false
}
