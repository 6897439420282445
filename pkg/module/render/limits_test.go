// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// slow takes the evaluator a second or two and some hundred megabytes, since
// what is given up goes on during the other tests.
const slow = `package main

import "list"

_n: list.Range(0, 45, 1)
timoni: {
	apiVersion: "v1alpha1"
	instance: config: {for a in _n for b in _n for c in _n {"\(a)-\(b)-\(c)": {v: a + b + c}}}
	apply: {}
}
`

// TestLimits holds that a module cannot keep a process busy: the error names
// the stage that was reached. It runs in a process of its own, because what is
// given up goes on and takes memory, which other tests have a limit of.
func TestLimits(t *testing.T) {
	if os.Getenv("TIMONI_TEST_LIMITS") == "" {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLimits$")
		cmd.Env = append(os.Environ(), "TIMONI_TEST_LIMITS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := fixture.Module(t, map[string]string{"timoni.cue": slow})
	interrupted, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupt")
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	for _, tc := range []struct {
		name   string
		ctx    context.Context
		limits render.Limits
		err    string
		hint   string
	}{
		{"signal", interrupted, render.Limits{}, "interrupt", ""},
		{"time", t.Context(), render.Limits{Time: 50 * time.Millisecond}, "the module is not done after 50ms", "--render-timeout"},
		{"memory", t.Context(), render.Limits{Memory: 64 << 20}, "the module needs more than 64Mi of memory", "--render-memory"},
	} {
		_, err := render.Build(tc.ctx, render.Request{Dir: dir, Name: "app", Namespace: "apps", Limits: tc.limits})
		stage, reason, _ := strings.Cut(fmt.Sprint(err), ": ")
		if reason != tc.err || stage != "load" && stage != "evaluate" { // on a slow machine it is not far by then
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.err)
		}
		if hints := strings.Join(fail.HintsOf(fail.Advise(err, moduleadvice.For)), ""); !strings.Contains(hints, tc.hint) {
			t.Errorf("%s: hints %q", tc.name, hints)
		}
	}
	checkOtherLimits(t, dir)
	checkLimitsOfMany(t)
}

// checkLimitsOfMany holds that what follows an instance that passes a limit is
// not rendered, at the same time or later.
func checkLimitsOfMany(t *testing.T) {
	t.Helper()
	dir := fixture.Module(t, map[string]string{"timoni.cue": strings.Replace(slow, "45", "values.n", 1) + "values: n: int\n"})
	reqs := make([]render.Request, 40)
	for i := range reqs {
		n := 45
		if i == 0 || i == len(reqs)/2 { // small ones begin what is rendered one after the other
			n = 1
		}
		reqs[i] = render.Request{
			Dir: dir, Name: fmt.Sprintf("app-%d", i), Namespace: "apps", Limits: render.Limits{Time: 100 * time.Millisecond},
			Values: []values.Source{sourceOf(fmt.Sprintf("values: n: %d\n", n))},
		}
	}
	limits, stopped := 0, 0
	for i, outcome := range render.BuildAll(t.Context(), reqs) {
		switch {
		case errors.Is(outcome.Err, render.ErrLimit):
			limits++
		case errors.Is(outcome.Err, render.ErrStopped):
			stopped++
		case outcome.Err != nil || i != 0 && i != len(reqs)/2:
			t.Errorf("instance %d: error %v", i, outcome.Err)
		}
	}
	if limits == 0 || stopped == 0 {
		t.Errorf("%d instances have passed a limit, and %d were not rendered", limits, stopped)
	}
}

// checkOtherLimits holds that limits are kept too by what evaluates a module
// without rendering it.
func checkOtherLimits(t *testing.T, slowDir string) {
	t.Helper()
	limits := render.Limits{Time: 50 * time.Millisecond}
	_, err := render.Inspect(t.Context(), render.Request{Dir: slowDir, Limits: limits}, func(*render.Schema) int { return 0 })
	if err == nil || !strings.Contains(err.Error(), "the module is not done after 50ms") {
		t.Errorf("inspect: error %v", err)
	}
	_, err = render.Inspect(t.Context(), render.Request{Dir: fixture.Module(t, map[string]string{"timoni.cue": slowCheck}), Limits: limits}, func(*render.Schema) int {
		select {} // looking takes for ever
	})
	if err == nil || !strings.Contains(err.Error(), "the module is not done after 50ms") {
		t.Errorf("look: error %v", err)
	}
	dir := fixture.Module(t, map[string]string{"timoni.cue": slowCheck})
	result, err := render.Build(t.Context(), render.Request{Dir: dir, Name: "app", Namespace: "apps", Limits: render.Limits{Time: 2 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	object := api.Object{"apiVersion": "example.com/v1", "kind": "Slow", "metadata": map[string]any{"name": "x"}, "n": int64(2000)}
	for range 2 { // the second waits for the first, which goes on
		_, known, err := result.Health(object)
		want := `health check "slow" of Slow.example.com/x: the module is not done after 2s`
		if !known || err == nil || err.Error() != want || len(fail.HintsOf(fail.Advise(err, moduleadvice.For))) == 0 {
			t.Errorf("health: %v, error %v, want %q", known, err, want)
		}
	}
}

// slowCheck takes long, and little memory, once there is an object.
const slowCheck = `package main

import (
	"list"
	"text/template"
)

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {}
	apply: {}
	healthChecks: slow: #HealthCheck & {
		group: "example.com"
		kind:  "Slow"
		#object: {n: int, ...}
		_loops:  "{{range .n}}{{range $.n}}{{range $.n}}{{end}}{{end}}{{end}}"
		current: template.Execute(_loops, {n: list.Range(0, #object.n, 1)}) == ""
	}
}
`

// TestBounded holds that an error about other work than a module's names that.
func TestBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	_, err := render.Bounded(t.Context(), render.Limits{Time: time.Millisecond}, "read", "the bundle", func() (int, error) {
		<-release
		return 0, nil
	})
	if err == nil || err.Error() != "read the bundle: the bundle is not done after 1ms" {
		t.Errorf("error %v", err)
	}
}
