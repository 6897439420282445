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
// has adopted it. former are those objects as they were.
func KeepFormer(items []*survey.Item, former []api.Object) {
	for _, s := range items {
		if formerOf(s, former) != nil {
			s.Action, s.Reason = event.Kept, "it was there before it was adopted, and is given back"
		}
	}
}

func formerOf(s *survey.Item, former []api.Object) api.Object {
	for _, o := range former {
		if s.Live != nil && kube.UID(s.Live) == kube.UID(o) {
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

// restore writes an object as it was, its status aside, unless it is gone, another
// one or another's by now.
func (r Remover) restore(ctx context.Context, m api.Metadata, resource kube.Resource, former api.Object) (err error) {
	for range maxWrites {
		var now api.Object
		now, err = r.Client.Get(ctx, resource, former.Namespace(), former.Name())
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil || kube.UID(now) != kube.UID(former) || !ownership.Is(now, m) {
			return err
		}
		if _, err = r.Client.Update(ctx, resource, r.asFormer(now, former)); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
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
