// SPDX-License-Identifier: Apache-2.0

// Package develop renders, vets and tests a module each time that its files
// change, in one process.
package develop

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

// Request says what to watch and how to build it.
type Request struct {
	Dir   string
	Files []string // of values, which are watched too
	// Vet returns what to vet; it is asked in each round, and reads the values.
	Vet  func(context.Context) (mod.VetRequest, error)
	Test mod.TestRequest
	// Done is told of each round. What it does ends, with ctx, when the files
	// change again.
	Done func(ctx context.Context, r Round) error
}

// Round is what became of the module after a change.
type Round struct {
	Number   int           `json:"round"`
	Good     bool          `json:"good"` // it is valid, and no test fails
	Objects  int           `json:"objects"`
	Findings []mod.Finding `json:"findings"`
	Tests    []mod.Tested  `json:"tests"`
	Changes  []Change      `json:"changes"` // since the last round that was good
	Seconds  float64       `json:"seconds"`
}

// Change is an object that changed.
type Change struct {
	Object string `json:"object"` // KIND/NAMESPACE/NAME
	Action Action `json:"action"`
	Diff   string `json:"diff,omitempty"` // without the data of Secrets; empty in the first good round
}

// Action is how an object changed.
type Action string

// The actions.
const (
	added   Action = "added"
	changed Action = "changed"
	removed Action = "removed"
)

// Run builds the module, and again each time that its files change, until ctx is
// over. The error is that of Done, or says that there is no module to begin with.
func Run(ctx context.Context, req Request) error {
	files := watcher{dir: req.Dir, others: req.Files, last: look(req.Dir, req.Files)}
	var good []api.Object
	for number := 1; ; number++ {
		round, objects, err := req.build(ctx, good)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			if number == 1 {
				return err
			}
			round.Findings = []mod.Finding{{Severity: mod.SeverityError, Message: err.Error()}}
		}
		if round.Good {
			good = objects
		}
		round.Number = number
		if err = req.untilChange(ctx, &files, round); err != nil {
			return err
		}
	}
}

// untilChange hands out a round and returns when the files have changed.
func (req Request) untilChange(ctx context.Context, files *watcher, round Round) error {
	during, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- req.Done(during, round) }()
	watched := make(chan error, 1)
	go func() { watched <- files.next(ctx) }()
	select {
	case err := <-done:
		if err != nil {
			return err
		}
		return <-watched
	case err := <-watched:
		stop()
		return errors.Join(err, <-done)
	}
}

// build renders, vets and tests the module once. The error is about what kept it
// from doing so.
func (req Request) build(ctx context.Context, good []api.Object) (round Round, objects []api.Object, err error) {
	round = Round{Findings: []mod.Finding{}, Tests: []mod.Tested{}, Changes: []Change{}}
	start := time.Now()
	defer func() { round.Seconds = time.Since(start).Seconds() }()
	vet, err := req.Vet(ctx)
	if err != nil {
		return round, nil, err
	}
	vetted, err := mod.Vet(ctx, vet)
	if err != nil {
		return round, nil, err
	}
	round.Findings, round.Objects, round.Good = vetted.Findings, vetted.Objects, vetted.Valid
	if !vetted.Valid {
		return round, nil, nil
	}
	if round.Changes, err = changes(good, vetted.First()); err != nil {
		return round, nil, err
	}
	tests, err := mod.Test(ctx, req.Test)
	if _, none := errors.AsType[*mod.NoTestsError](err); none {
		return round, vetted.First(), nil
	}
	if err != nil {
		round.Good = false
		return round, nil, err
	}
	round.Tests = tests
	round.Good = !slices.ContainsFunc(tests, func(t mod.Tested) bool { return t.Status == mod.Failed })
	return round, vetted.First(), nil
}

// changes returns how objects differ from those before, in their order; what is
// no longer rendered comes last.
func changes(before, after []api.Object) ([]Change, error) {
	old := map[string]api.Object{}
	for _, o := range before {
		old[o.ID().String()] = o
	}
	all := []Change{}
	add := func(id string, action Action, was, is api.Object) error {
		text, err := delta.Text("good "+id, was, "now "+id, is)
		if before == nil {
			all = append(all, Change{Object: id, Action: action})
		} else if err == nil && text != "" {
			all = append(all, Change{id, action, text})
		}
		return err
	}
	for _, o := range after {
		id := o.ID().String()
		action := changed
		if old[id] == nil {
			action = added
		}
		if err := add(id, action, old[id], o); err != nil {
			return nil, err
		}
		delete(old, id)
	}
	for _, o := range before {
		if id := o.ID().String(); old[id] != nil {
			if err := add(id, removed, o, nil); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
