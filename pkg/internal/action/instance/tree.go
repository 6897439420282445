// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/tree"
)

// TreeReport is the state of an instance with all that its objects own.
type TreeReport struct {
	Summary
	Ready  bool // every object of the instance is
	Roots  []*tree.Node
	Unread []string // what may not be read
}

// IsGood says whether the objects are ready and the last run ended.
func (r *TreeReport) IsGood() bool { return r.Ready && r.State == Applied }

// Tree returns the objects of an instance, with what they own.
func Tree(ctx context.Context, client *kube.Client, key Key) (*TreeReport, error) {
	report, _, err := readTree(ctx, client, key)
	return report, err
}

// readTree returns a tree, without the objects in full, and those of the instance.
func readTree(ctx context.Context, client *kube.Client, key Key) (*TreeReport, []api.Object, error) {
	report, live, err := roots(ctx, client, key)
	if err != nil {
		return nil, nil, err
	}
	reader := tree.Reader{Client: client}
	owned, err := reader.Owned(ctx, tree.Keys(live))
	if err != nil {
		return nil, nil, err
	}
	tree.Grow(report.Roots, owned.Objects, time.Now())
	unread, err := reader.Explain(ctx, report.Roots)
	if err != nil {
		return nil, nil, err
	}
	report.Unread = slices.Concat(owned.Unread, unread)
	for n := range tree.All(report.Roots) {
		n.Live = nil // a change that the tree does not show is none
	}
	return report, live, nil
}

// roots returns the objects of an instance as the roots of a forest, and those
// that exist.
func roots(ctx context.Context, client *kube.Client, key Key) (*TreeReport, []api.Object, error) {
	record, ledger, err := getBoth(ctx, client, key)
	if err != nil {
		return nil, nil, err
	}
	statuses, err := state.New(client).Briefly().Status(ctx, record, ledger)
	if err != nil {
		return nil, nil, err
	}
	report := &TreeReport{Summary: summarize(record), Ready: true}
	var live []api.Object
	for _, s := range statuses {
		report.Ready = report.Ready && (s.Ready() || s.Orphan)
		o := statusOf(s)
		report.Roots = append(report.Roots, &tree.Node{Object: s.Object, Live: s.Live, Status: o.Status, Reason: o.Message})
		if s.Live != nil {
			live = append(live, s.Live)
		}
	}
	return report, live, nil
}

// settleTree is settle for a tree, which takes more requests.
const settleTree = time.Second

// WatchTree calls changed with the tree of an instance and again after each
// change, until it is good or ctx ends.
func WatchTree(ctx context.Context, client *kube.Client, key Key, changed func(*TreeReport) error) error {
	var live []api.Object
	w := watching[*TreeReport]{
		read: func(ctx context.Context) (report *TreeReport, err error) {
			report, live, err = readTree(ctx, client, key)
			return report, err
		},
		pause: settleTree,
		objects: func(ctx context.Context) (<-chan struct{}, error) {
			return watchOwned(ctx, client, key, live)
		},
	}
	return w.run(ctx, client, key, changed)
}

// watchOwned is watchObjects for the objects and what they own.
func watchOwned(ctx context.Context, client *kube.Client, key Key, live []api.Object) (<-chan struct{}, error) {
	objects, err := watchObjects(ctx, client, key)
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default: // it was told already
		}
	}
	tree.Reader{Client: client}.Changes(ctx, live, tell)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-objects:
				tell()
			}
		}
	}()
	return changed, nil
}

// report is what a watch shows until it is good.
type report interface{ IsGood() bool }

// watching is a watch of an instance.
type watching[R report] struct {
	read    func(context.Context) (R, error)
	objects func(context.Context) (<-chan struct{}, error) // tells that an object may have changed
	pause   time.Duration                                  // in which changes are gathered
}

// run calls changed with what is read and again after each change, until it is
// good or ctx ends. Its error is that of the first state that cannot be read.
func (w watching[R]) run(ctx context.Context, client *kube.Client, key Key, changed func(R) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	records := watchRecord(ctx, client, key)
	var objects <-chan struct{}
	forget := func() {}
	defer func() { forget() }()
	var last R
	for {
		now, err := w.read(ctx)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(last, now) {
			if err = changed(now); err != nil {
				return err
			}
		}
		if last = now; now.IsGood() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-objects:
		case <-records: // it may name other objects now
			forget()
			watched, end := context.WithCancel(ctx)
			forget = end
			if objects, err = w.objects(watched); err != nil {
				return err
			}
		}
		time.Sleep(w.pause)
	}
}
