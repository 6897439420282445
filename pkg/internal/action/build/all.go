// SPDX-License-Identifier: Apache-2.0

package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Outcome is what became of one of several requests.
type Outcome struct {
	Result *Result
	Err    error
}

// RenderAll renders several instances as Render does, and returns the outcomes
// in the order of the requests. Each module is fetched once.
func RenderAll(ctx context.Context, reqs []Request, observer event.Observer) (outcomes []Outcome, err error) {
	modules := shelf{observer: observer, opened: map[ref.Reference]*opened{}}
	defer func() { err = errors.Join(err, modules.close()) }()
	outcomes = make([]Outcome, len(reqs))
	var pending []render.Request
	var indices []int
	for i, req := range reqs {
		m, err := modules.open(ctx, req)
		if err != nil {
			outcomes[i].Err = fmt.Errorf("render %s: %w", req.Name, err)
			continue
		}
		pending, indices = append(pending, req.of(m)), append(indices, i)
	}
	for k, rendered := range render.BuildAll(ctx, pending) {
		i := indices[k]
		if rendered.Err != nil {
			outcomes[i].Err = fmt.Errorf("render %s: %w", reqs[i].Name, rendered.Err)
			continue
		}
		m, _ := modules.open(ctx, reqs[i])
		outcomes[i].Result, outcomes[i].Err = finish(ctx, reqs[i], m, rendered.Result, observer)
	}
	return outcomes, nil
}

// shelf holds modules whose content is on disk.
type shelf struct {
	observer event.Observer
	opened   map[ref.Reference]*opened
}

type opened struct {
	module *source.Module
	err    error
}

func (s *shelf) open(ctx context.Context, req Request) (*source.Module, error) {
	o, ok := s.opened[req.Module]
	if !ok {
		o = &opened{}
		o.module, o.err = source.Open(ctx, req.Module, source.Options{OCI: req.OCI, Observer: s.observer})
		s.opened[req.Module] = o
	}
	return o.module, o.err
}

func (s *shelf) close() error {
	var errs []error
	for _, o := range s.opened {
		if o.module != nil {
			errs = append(errs, o.module.Close())
		}
	}
	return errors.Join(errs...)
}
