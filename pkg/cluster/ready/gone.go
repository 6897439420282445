// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// WaitGone waits until the live objects of the items no longer exist.
func (w Watcher) WaitGone(ctx context.Context, items []*Item) error {
	open := map[*Item]api.Object{} // as last seen
	for _, i := range items {
		open[i] = i.Live
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if len(open) == 0 {
		return nil
	}
	changes := w.follow(ctx, items)
	late := time.After(finalizerGrace)
	for len(open) > 0 {
		select {
		case <-ctx.Done():
			return stillThere(ctx, items, open)
		case <-late:
			for _, i := range items {
				if reason := blockedBy(open[i]); reason != "" {
					w.observe(event.Progress{Object: i.Ref(), Status: "Terminating", Message: reason})
				}
			}
		case c := <-changes:
			if c.err != nil {
				return c.err
			}
			if c.live == nil || kube.UID(c.live) != kube.UID(c.item.Live) {
				delete(open, c.item)
				continue
			}
			open[c.item] = c.live
		}
	}
	return nil
}

// finalizerGrace is how long an object may take to go before it is said who
// keeps it: most are gone at once.
const finalizerGrace = 2 * time.Second

// blockedBy returns what keeps an object that is being deleted, empty when it
// is not known.
func blockedBy(live api.Object) string {
	if live == nil || !live.IsTerminating() {
		return ""
	}
	if live.IsNamespace() {
		if what := namespaceContent(live); what != "" {
			return what
		}
	}
	metadata, _ := live["metadata"].(map[string]any)
	finalizers, _ := metadata["finalizers"].([]any)
	if len(finalizers) == 0 {
		return ""
	}
	names := make([]string, len(finalizers))
	for i, f := range finalizers {
		names[i] = fmt.Sprintf("%q", f)
	}
	return "it waits for who removes the finalizer " + strings.Join(names, ", ")
}

// namespaceContent returns what the namespace controller says is left in a
// namespace that is being deleted.
func namespaceContent(live api.Object) string {
	var texts []string
	conditions, _, _ := unstructured.NestedSlice(live, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["status"] == "True" {
			texts = append(texts, fmt.Sprint(condition["message"]))
		}
	}
	return strings.Join(texts, "; ")
}

func stillThere(ctx context.Context, items []*Item, open map[*Item]api.Object) error {
	if !kube.TimedOut(ctx) {
		return fmt.Errorf("interrupted while %d objects were not deleted yet: %w", len(open), context.Cause(ctx))
	}
	var errs []error
	for _, i := range items {
		live, isOpen := open[i]
		if !isOpen {
			continue
		}
		err := fmt.Errorf("timed out waiting for the deletion of %s", i.Ref())
		if reason := blockedBy(live); reason != "" {
			err = fmt.Errorf("%w: %s", err, reason)
		}
		errs = append(errs, err)
	}
	return &NotReadyError{Errs: errs}
}
