// SPDX-License-Identifier: Apache-2.0

package module

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
)

const testsDir = "tests"

// TestRequest says what to test.
type TestRequest struct {
	Dir         string         // of the module
	Run         *regexp.Regexp // the names of the tests to run; all when nil
	Update      bool           // write what is rendered into the tests that fail
	KubeVersion string         // for tests that name none
}

// Status is how a test ended.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Updated Status = "updated" // it failed, and was made to pass
)

// Tested is how one test ended.
type Tested struct {
	Name     string   `json:"name"` // of the file, below tests and without .txtar
	File     string   `json:"file"`
	Status   Status   `json:"status"`
	Failures []string `json:"failures,omitempty"`
	Seconds  float64  `json:"seconds"`
}

// Test runs the tests of a module, several at once, and returns how they ended
// in the order of their names.
func Test(ctx context.Context, req TestRequest) ([]Tested, error) {
	tests, err := req.find()
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range tests {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			req.run(ctx, &tests[i])
			tests[i].Seconds = time.Since(start).Seconds()
		})
	}
	wg.Wait()
	return tests, ctx.Err()
}

// find returns the tests that there are.
func (req TestRequest) find() ([]Tested, error) {
	if _, err := os.Stat(filepath.Join(req.Dir, filepath.FromSlash(moduleFile))); err != nil {
		return nil, fmt.Errorf("directory %q has no %s: %w", req.Dir, moduleFile, render.ErrNoModule)
	}
	root := filepath.Join(req.Dir, testsDir)
	var tests []Tested
	all := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".txtar" {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		all++
		if name := strings.TrimSuffix(filepath.ToSlash(rel), ".txtar"); req.Run == nil || req.Run.MatchString(name) {
			tests = append(tests, Tested{Name: name, File: file})
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	switch {
	case all == 0:
		return nil, fail.Hint(fmt.Errorf("module %q has no tests", req.Dir),
			"write values and what they make into %s", filepath.Join(root, "NAME.txtar"))
	case len(tests) == 0:
		return nil, fail.Usagef("none of the %d tests of module %q matches %q", all, req.Dir, req.Run)
	}
	return tests, nil
}

// run runs one test.
func (req TestRequest) run(ctx context.Context, t *Tested) {
	t.Status = Passed
	data, err := os.ReadFile(t.File)
	if err != nil {
		t.fail("%v", err)
		return
	}
	c, err := parseCase(t.File, data)
	if err != nil {
		t.fail("%v", err)
		return
	}
	result, err := render.Build(ctx, render.Request{
		Dir: req.Dir, Name: c.name, Namespace: c.namespace, Package: c.pkg, Debug: c.debug,
		ModuleVersion: cmp.Or(c.moduleVersion, ref.DevelVersion), KubeVersion: cmp.Or(c.kubeVersion, req.KubeVersion),
		Values: c.values,
	})
	var changed bool
	if err != nil || c.expectsError {
		changed = c.checkError(t, err, req.Update)
	} else {
		changed = c.checkObjects(t, result.Objects(), req.Update)
	}
	if !changed || !req.Update {
		return
	}
	if err := os.WriteFile(t.File, txtar.Format(c.archive), 0o644); err != nil {
		t.fail("%v", err)
		return
	}
	if t.Status == Passed {
		t.Status = Updated
	}
}

func (t *Tested) fail(format string, args ...any) {
	t.Status = Failed
	t.Failures = append(t.Failures, fmt.Sprintf(format, args...))
}

// checkError compares an error with the one that is expected. With update it
// takes over what the error says, but never that there is one.
func (c *testCase) checkError(t *Tested, err error, update bool) (changed bool) {
	switch {
	case err == nil:
		t.fail("an error is expected, and there is none")
		return false
	case !c.expectsError:
		t.fail("%v", err)
		return false
	}
	var missing []string
	for _, part := range c.errors {
		if !strings.Contains(err.Error(), part) {
			missing = append(missing, part)
		}
	}
	switch {
	case len(missing) == 0:
		return false
	case update:
		return c.set(errorSection, []byte(said(err)))
	}
	t.fail("the error does not say:\n    %s\nbut:\n    %s",
		strings.Join(missing, "\n    "), strings.ReplaceAll(err.Error(), "\n", "\n    "))
	return false
}

// placeRE matches what stands before a message: FILE:LINE:COLUMN.
var placeRE = regexp.MustCompile(`^[^ ]+:\d+(:\d+)?: `)

// said returns what an error says, without the places and the explanations,
// which are indented.
func said(err error) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(err.Error()) + "\n") {
		if !strings.HasPrefix(line, " ") {
			b.WriteString(placeRE.ReplaceAllString(line, ""))
		}
	}
	return b.String()
}

// checkObjects compares objects with what is expected. With update it takes
// over how they are, but never that one is there or not.
func (c *testCase) checkObjects(t *Tested, objects []api.Object, update bool) (changed bool) {
	all := string(api.YAML(objects))
	empty := !c.exact && c.want == nil && c.absent == nil
	switch {
	case empty && !update:
		t.fail("nothing is expected: --update writes the objects that are rendered into it")
	case (empty || c.exact) && update:
		changed = c.set(objectsSection, []byte(all))
	case c.exact && c.text(objectsSection) != all:
		t.fail("the objects are others:\n%s", difference(c.text(objectsSection), all))
	}
	for _, absent := range c.absent {
		for _, o := range objects {
			if title(o) == absent {
				t.fail("%s is rendered", absent)
			}
		}
	}
	return c.checkWanted(t, objects, update) || changed
}

func (c *testCase) checkWanted(t *Tested, objects []api.Object, update bool) (changed bool) {
	texts := make([]string, len(c.want))
	for i, want := range c.want {
		texts[i] = want.text
		got, err := find(objects, want.object)
		if err != nil {
			t.fail("%v", err)
			continue
		}
		difference := compare(want.object, got)
		switch {
		case difference == "":
		case update:
			of, _ := part(map[string]any(want.object), map[string]any(got)).(map[string]any)
			texts[i], changed = string(api.YAML([]api.Object{of})), true
		default:
			t.fail("%s is not as it is wanted:\n%s", title(want.object), difference)
		}
	}
	if changed {
		c.set(wantSection, []byte(strings.Join(texts, "---\n")))
	}
	return changed
}
