// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Vetted is what is known about a bundle on one cluster.
type Vetted struct {
	Cluster   string           `json:"cluster,omitempty"`
	Name      string           `json:"name,omitempty"` // of the bundle, empty when its files cannot be read
	Valid     bool             `json:"valid"`
	Instances []VettedInstance `json:"instances"`
	Problems  []string         `json:"problems,omitempty"` // of the files
}

// VettedInstance is what is known about an instance.
type VettedInstance struct {
	Name      string      `json:"name"`
	Namespace string      `json:"namespace"`
	Module    *api.Module `json:"module,omitempty"`
	Objects   int         `json:"objects"`
	Problem   string      `json:"problem,omitempty"`
}

// Vet reads the files and renders the instances. What is wrong with them stands
// in the result. An error means that it could not be found out. The bundle is
// nil when its files cannot be read.
func Vet(ctx context.Context, site Site, req Request, observer event.Observer) (*Vetted, *Bundle, error) {
	v := &Vetted{Cluster: site.Name, Valid: true, Instances: []VettedInstance{}}
	b, err := Load(ctx, site, req)
	if e, ok := errors.AsType[*values.Error](err); ok {
		for _, p := range e.Problems {
			v.Problems = append(v.Problems, p.String())
		}
		v.Valid = false
		return v, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	v.Name = b.Name
	outcomes, err := build.RenderAll(ctx, b.Requests, event.Hiding(observer, b.secret))
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	rendered := make([]*build.Result, len(outcomes))
	for i, o := range outcomes {
		rendered[i] = o.Result
		in := VettedInstance{Name: b.Selected[i].Name, Namespace: b.Selected[i].Namespace}
		switch {
		case o.Err == nil:
			in.Module, in.Objects = &o.Result.Module, len(o.Result.Objects())
		case isUnknown(ctx, o.Err):
			errs = append(errs, b.Hide(o.Err))
		default:
			v.Valid, in.Problem = false, b.Hide(o.Err).Error()
		}
		v.Instances = append(v.Instances, in)
	}
	if shared := b.Hide(checkShared(b.Selected, rendered)); shared != nil {
		v.Valid, v.Problems = false, append(v.Problems, strings.Split(shared.Error(), "\n")...)
	}
	return v, b, errors.Join(errs...)
}

// isUnknown says whether an error leaves open whether an instance is valid.
func isUnknown(ctx context.Context, err error) bool {
	return ctx.Err() != nil || source.IsUnavailable(err) || errors.Is(err, render.ErrLimit) || errors.Is(err, render.ErrStopped) ||
		fail.CodeOf(err) == fail.Usage
}
