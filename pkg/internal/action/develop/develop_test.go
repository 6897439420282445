// SPDX-License-Identifier: Apache-2.0

package develop_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/develop"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// errOver ends a run.
var errOver = errors.New("over")

const module = `package main

timoni: {
	apiVersion: "v1alpha1"
	instance: config: {name: string @tag(name), namespace: string @tag(namespace)}
	apply: all: [{apiVersion: "v1", kind: "ConfigMap", metadata: instance.config, data: text: %s}]
}
`

func request(dir string, done func(context.Context, develop.Round) error) develop.Request {
	vet := func(context.Context) (mod.VetRequest, error) {
		return mod.VetRequest{Request: build.Request{Module: ref.Reference{Dir: dir}, Name: "app", Namespace: "default"}}, nil
	}
	return develop.Request{Dir: dir, Vet: vet, Test: mod.TestRequest{Dir: dir}, Done: done}
}

// write writes the module as an editor does that replaces files.
func write(t *testing.T, dir, text string) {
	t.Helper()
	next := fixture.Write(t, filepath.Join(dir, "timoni.cue.swp"), fmt.Sprintf(module, text))
	if err := os.Rename(next, filepath.Join(dir, "timoni.cue")); err != nil {
		t.Fatal(err)
	}
}

func newModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	fixture.Write(t, filepath.Join(dir, "cue.mod", "module.cue"), "module: \"example.com/app\"\nlanguage: version: \"v0.17.0\"\n")
	fixture.Write(t, filepath.Join(dir, "values.cue"), "package main\n\nvalues: {}\n")
	write(t, dir, `"1"`)
	return dir
}

// Every change makes a round; an error keeps the objects that the next good round
// is compared with.
func TestRun(t *testing.T) {
	t.Parallel()
	dir := newModule(t)
	var rounds []string
	err := develop.Run(t.Context(), request(dir, func(_ context.Context, r develop.Round) error {
		line := fmt.Sprintf("%v %d", r.Good, r.Objects)
		for _, c := range r.Changes {
			line += fmt.Sprintf(" %s %s", c.Action, c.Object)
			for d := range strings.SplitSeq(c.Diff, "\n") {
				if strings.HasPrefix(d, "-  ") || strings.HasPrefix(d, "+  ") {
					line += " " + d
				}
			}
		}
		rounds = append(rounds, line)
		switch r.Number {
		case 1:
			write(t, dir, `"2`) // not CUE
		case 2:
			write(t, dir, `"3"`)
		case 3: // a burst
			write(t, dir, `"4"`)
			write(t, dir, `"`)
			write(t, dir, `"5"`)
		case 4: // of the same size
			write(t, dir, `"6"`)
		case 5:
			return errOver
		}
		return nil
	}))
	if !errors.Is(err, errOver) {
		t.Fatal(err)
	}
	want := []string{
		"true 1 added ConfigMap/default/app",
		"false 0",
		`true 1 changed ConfigMap/default/app -  text: "1" +  text: "3"`,
		`true 1 changed ConfigMap/default/app -  text: "3" +  text: "5"`,
		`true 1 changed ConfigMap/default/app -  text: "5" +  text: "6"`,
	}
	if got := strings.Join(rounds, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("rounds\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// A test that fails makes a round that is not good; the file of a test and the
// target of a link count as the module's.
func TestRunTests(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newModule(t), t.TempDir()
	fixture.Write(t, filepath.Join(elsewhere, "text.txtar"), "-- want.yaml --\nkind: ConfigMap\ndata: {text: \"2\"}\n")
	if err := os.Symlink(elsewhere, filepath.Join(dir, "linked")); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "tests"), 0o750); err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "tests", "text.txtar"), "-- want.yaml --\nkind: ConfigMap\ndata: {text: \"2\"}\n")
	var good []bool
	err := develop.Run(t.Context(), request(dir, func(_ context.Context, r develop.Round) error {
		good = append(good, r.Good)
		switch r.Number {
		case 1:
			write(t, dir, `"2"`)
		case 2:
			fixture.Write(t, filepath.Join(elsewhere, "text.txtar"), "changed")
		case 3:
			return errOver
		}
		return nil
	}))
	if !errors.Is(err, errOver) || fmt.Sprint(good) != "[false true true]" {
		t.Errorf("good: %v, %v", good, err)
	}
}

// What is done after a round ends when the files change; without a module there is
// no first round.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	dir := newModule(t)
	interrupted := false
	err := develop.Run(t.Context(), request(dir, func(ctx context.Context, r develop.Round) error {
		if r.Number > 1 {
			return errOver
		}
		write(t, dir, `"2"`)
		<-ctx.Done()
		interrupted = true
		return nil
	}))
	if !errors.Is(err, errOver) || !interrupted {
		t.Errorf("interrupted: %v, %v", interrupted, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err = develop.Run(ctx, request(dir, func(context.Context, develop.Round) error { cancel(errOver); return nil }))
	if !errors.Is(err, errOver) {
		t.Errorf("after the end of its context: %v", err)
	}
	if err = develop.Run(t.Context(), request(t.TempDir(), nil)); err == nil {
		t.Error("without a module: no error")
	}
}
