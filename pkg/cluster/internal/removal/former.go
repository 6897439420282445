// SPDX-License-Identifier: Apache-2.0

package removal

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// KeepFormer keeps what would be pruned and was there before a run that is undone
// has adopted it. former are those objects as they were. One that the run has
// recreated since is let go, as there is none to give back.
func KeepFormer(items []*survey.Item, former []api.Object) {
	for _, s := range items {
		o := formerOf(s, former)
		switch {
		case o == nil:
		case kube.UID(s.Live) == kube.UID(o):
			s.Action, s.Reason = event.Kept, "it was there before it was adopted, and is given back"
		default:
			s.Action, s.Reason = event.Kept, "it was there before it was adopted and recreated, and is let go as it is"
		}
	}
}

func formerOf(s *survey.Item, former []api.Object) api.Object {
	for _, o := range former {
		if s.Live != nil && s.Live.ID() == o.ID() {
			return o
		}
	}
	return nil
}

// GiveBack makes the objects that KeepFormer keeps what they were.
func (r Remover) GiveBack(ctx context.Context, m api.Metadata, items []*survey.Item, former []api.Object) error {
	var errs []error
	for _, s := range items {
		if o := formerOf(s, former); o != nil {
			if err := r.restore(ctx, m, s.Resource, o); err != nil {
				errs = append(errs, fmt.Errorf("give back %s: %w", s.Ref(), err))
			}
		}
	}
	return errors.Join(errs...)
}

// maxWrites bounds how often an object is read again that others write.
const maxWrites = 10

// restore writes an object as it was, its status aside, unless it is gone or
// another's by now. One that was recreated is let go as it is.
func (r Remover) restore(ctx context.Context, m api.Metadata, resource kube.Resource, former api.Object) (err error) {
	for range maxWrites {
		var now api.Object
		now, err = r.Client.Get(ctx, resource, former.Namespace(), former.Name())
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil || !ownership.Is(now, m) {
			return err
		}
		wanted := withoutOwner(now)
		if kube.UID(now) == kube.UID(former) {
			wanted = r.asFormer(now, former)
		}
		if _, err = r.Client.Update(ctx, resource, wanted); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}

// withoutOwner returns an object that belongs to no instance.
func withoutOwner(now api.Object) api.Object {
	o := now.DeepCopy()
	metadata, _ := o["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	delete(labels, api.LabelInstanceName)
	delete(labels, api.LabelInstanceNamespace)
	return o
}

// asFormer returns an object as it was, for a write over what it is, and without
// the fields that our manager has applied.
func (r Remover) asFormer(now, former api.Object) api.Object {
	o := former.DeepCopy()
	metadata, _ := o["metadata"].(map[string]any)
	metadata["resourceVersion"] = kube.ResourceVersion(now)
	entries, _ := metadata["managedFields"].([]any)
	var others []any
	for _, e := range entries {
		if entry, _ := e.(map[string]any); entry["manager"] != r.Client.FieldManager() || entry["operation"] != "Apply" {
			others = append(others, e)
		}
	}
	metadata["managedFields"] = others
	if o["status"] = now["status"]; o["status"] == nil {
		delete(o, "status")
	}
	return o
}
