// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// A plan is made and shown, and exactly that is carried out.
func ExampleEngine_Execute() {
	applyHello := func(ctx context.Context, client *kube.Client) error {
		engine := apply.New(client, nil) // nil discards the events
		plan, err := engine.Plan(ctx, apply.Request{
			Instance: api.Instance{
				Kind: api.KindInstance, APIVersion: api.APIVersion,
				Metadata: api.Metadata{Name: "hello", Namespace: "apps"},
			},
			Stages: []apply.Stage{{Name: "app", Objects: []api.Object{{
				"apiVersion": "v1", "kind": "ConfigMap",
				"metadata": map[string]any{"name": "hello", "namespace": "apps"},
			}}}},
		})
		if err != nil {
			return err
		}
		for _, step := range plan.All() {
			fmt.Println(step.Ref(), step.Action, step.Reason)
		}
		if err := plan.Refusal(); err != nil {
			return err
		}
		_, err = engine.Execute(ctx, plan)
		return err
	}
	_ = applyHello
}

// Errors are values that a program can ask: whose an object is, and what is not
// ready.
func ExampleOwnedError() {
	handle := func(err error) {
		if owned, ok := errors.AsType[*apply.OwnedError](err); ok {
			fmt.Println(owned.Object, "belongs to", owned.Owner)
		}
		if late, ok := errors.AsType[*ready.NotReadyError](err); ok {
			fmt.Println(len(late.Errs), "objects are not ready")
		}
		if changed, ok := errors.AsType[*apply.StaleError](err); ok {
			fmt.Println("plan again:", changed)
		}
	}
	handle(&apply.OwnedError{Owner: "instance apps/other", Object: event.Object{Kind: "Service", Namespace: "apps", Name: "hello"}})
	// Output: Service/apps/hello belongs to instance apps/other
}
