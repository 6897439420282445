// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Diff returns what an apply of the request would change: the plan of that
// apply, without the objects that stay as they are.
func Diff(ctx context.Context, client *kube.Client, req ApplyRequest, observer event.Observer) ([]instance.Difference, error) {
	req.DryRun, req.NoWait = DryRunServer, false
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was asked ahead of an error
	engine, rendered, err := renderAhead(ctx, client, &req, observer)
	if err != nil {
		return nil, err
	}
	engine.Observer = event.Hiding(observer, values.MaskSecret(req.Values))
	plan, err := run(ctx, engine, req, rendered)
	if err != nil {
		return nil, fmt.Errorf("diff %s: %w", req.Name, mask.Error(err, values.Mask(req.Values)))
	}
	return shown(plan, req.sources(ctx)), nil
}

// shown returns the differences without the values of secret sources.
func shown(plan *apply.Plan, sources []values.Source) []instance.Difference {
	list, hide := Differences(plan.All()), values.MaskSecret(sources)
	for i, d := range list {
		list[i] = d.Hide(hide)
	}
	return list
}

// gone is why an object is deleted of which the plan says no more.
const gone = "no longer in the module"

// Differences returns what the steps of plans or deletions would change, without
// the objects of the module that stay as they are. Those that are no longer in
// it are there, also when they are kept.
func Differences(steps []*apply.Step) []instance.Difference {
	var list []instance.Difference
	for i, o := range apply.Outcomes(steps) {
		before, after := steps[i].States()
		switch {
		case o.Action == event.Kept:
			before, after = nil, nil
		case !o.IsChange():
			continue
		case o.Action == event.Deleted:
			o.Reason = cmp.Or(o.Reason, gone)
		}
		list = append(list, instance.NewDifference(o, before, after))
	}
	return list
}

// emptyError is an apply.EmptyError about a kustomization.
type emptyError struct {
	dir   string
	empty *apply.EmptyError
}

func (e *emptyError) Error() string {
	return fmt.Sprintf("kustomization %q: it has no object, and all that %q had would be deleted", e.dir, e.empty.Instance.Name)
}

func (e *emptyError) Unwrap() error { return e.empty }

// renderFor renders the module of a request, or its kustomization, for the
// version of the cluster.
func renderFor(ctx context.Context, client *kube.Client, req *ApplyRequest, observer event.Observer) (*build.Result, error) {
	asked := kube.Ask(func() (string, error) { return client.ServerVersion(ctx) })
	sources, readErr := readValues(ctx, client, req.Namespace, req.Values)
	version, err := asked.Wait(ctx)
	if err != nil {
		return nil, err
	}
	req.KubeVersion = version
	if req.restored != nil {
		return req.restored, nil
	}
	if req.Kustomization != nil {
		var rendered *build.Result
		if rendered, err = req.Kustomization.render(ctx, version, observer, func(ns string) { req.spaces = append(req.spaces, ns) }); err == nil && len(rendered.Objects()) == 0 && !req.AllowEmpty {
			// As with a module, but in the words of a kustomization.
			return nil, &emptyError{req.Kustomization.Dir, &apply.EmptyError{Instance: api.Metadata{Name: req.Name, Namespace: req.Namespace}}}
		}
		return rendered, err
	}
	if readErr != nil {
		return nil, readErr
	}
	req.Values = sources
	return build.Render(ctx, req.Request, observer)
}
