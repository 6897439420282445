// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

const testsDir = "tests"

// TestRequest says what to test.
type TestRequest struct {
	Dir         string              // of the module
	Run         *regexp.Regexp      // the names of the tests to run; all when nil
	Update      bool                // write what is rendered into the tests that fail
	KubeVersion string              // for tests that name none
	Schemas     *builtin.Schemas    // of the kinds of Kubernetes; those in the binary when nil
	Cache       *render.Cache       // of results, nil: there is none
	CUERegistry *render.CUERegistry // nil: what the module depends on must be in cue.mod

	Advise func(values.Problem) string // as render.Request has it
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
	tests, err := req.find(ctx)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, t := range tests {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			req.run(ctx, t)
			t.Seconds = time.Since(start).Seconds()
		})
	}
	wg.Wait()
	written := map[*cueTests]bool{nil: true}
	all := make([]Tested, len(tests))
	for i, t := range tests {
		if file := t.file(); req.Update && !written[file] {
			written[file] = true
			if err := file.write(req.Dir); err != nil {
				return nil, err
			}
		}
		all[i] = t.Tested
	}
	return all, ctx.Err()
}

// NoTestsError says that a module has no tests.
type NoTestsError struct{ Dir string }

// Error says so.
func (e *NoTestsError) Error() string { return fmt.Sprintf("module %q has no tests", e.Dir) }

// test is one test to run.
type test struct {
	Tested
	parsed *testCase // nil when it could not be read, which Failures says
}

// file returns the file in CUE that the test is part of, if it is.
func (t *test) file() *cueTests {
	if t.parsed == nil {
		return nil
	}
	return t.parsed.cue
}

// find returns the tests that there are.
func (req TestRequest) find(ctx context.Context) ([]*test, error) {
	if _, err := os.Stat(filepath.Join(req.Dir, filepath.FromSlash(moduleFile))); err != nil {
		return nil, fmt.Errorf("directory %q has no %s: %w", req.Dir, moduleFile, render.ErrNoModule)
	}
	root := filepath.Join(req.Dir, testsDir)
	var tests []*test
	all := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		extension := filepath.Ext(file)
		if err != nil || d.IsDir() || extension != ".txtar" && extension != ".cue" {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		for _, t := range req.read(ctx, strings.TrimSuffix(filepath.ToSlash(rel), extension), file) {
			all++
			if req.Run == nil || req.Run.MatchString(t.Name) {
				tests = append(tests, t)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	switch {
	case all == 0:
		return nil, fail.Hint(&NoTestsError{req.Dir},
			"write values and what they make into %s", filepath.Join(root, "NAME.txtar"))
	case len(tests) == 0:
		return nil, fail.Usagef("none of the %d tests of module %q matches %q", all, req.Dir, req.Run)
	}
	return tests, nil
}

// read returns the tests of a file: one in an archive, one for each case in
// CUE. A file that cannot be read is a test that fails.
func (req TestRequest) read(ctx context.Context, name, file string) []*test {
	in, err := req.readTest(ctx, file)
	var cases []*testCase
	switch {
	case err != nil:
	case filepath.Ext(file) == ".cue":
		cases, err = readCUE(req.Dir, file, in.Data)
	default:
		cases = make([]*testCase, 1)
		cases[0], err = parseCase(file, in.Data)
	}
	if err != nil {
		t := &test{Tested: Tested{Name: name, File: file}}
		t.fail("%v", err)
		return []*test{t}
	}
	tests := make([]*test, len(cases))
	for i, c := range cases {
		for j := range c.values {
			c.values[j].Stored = in.Stored
		}
		tests[i] = &test{Tested{Name: path.Join(name, c.title), File: file, Status: Passed}, c}
	}
	return tests
}

// readTest reads a file of tests, which no link may have outside of the module:
// a test that fails shows what it holds.
func (req TestRequest) readTest(ctx context.Context, file string) (input.Content, error) {
	switch inside, err := values.Within(req.Dir, file); {
	case err != nil:
		return input.Content{}, err
	case !inside:
		return input.Content{}, fmt.Errorf("%s is a link that leads out of the module", file)
	}
	return input.Read(ctx, file)
}

// writeTest writes a file of tests.
func writeTest(dir, file string, data []byte) error {
	name, err := filepath.Rel(dir, file)
	if err != nil {
		return err
	}
	return link.WriteFile(dir, name, data, 0o644)
}

// run runs one test.
func (req TestRequest) run(ctx context.Context, t *test) {
	c := t.parsed
	if c == nil {
		return
	}
	result, err := render.Build(ctx, render.Request{
		Dir: req.Dir, Name: c.name, Namespace: c.namespace, Package: c.pkg, Debug: c.debug,
		ModuleVersion: cmp.Or(c.moduleVersion, ref.DevelVersion), KubeVersion: cmp.Or(c.kubeVersion, req.KubeVersion),
		Values: c.values, CUERegistry: req.CUERegistry, Advise: req.Advise, Cache: req.Cache, ObjectsOnly: true,
	})
	if err == nil {
		err = req.check(ctx, c, result)
	}
	var changed bool
	if err != nil || c.expectsError {
		changed = c.checkError(&t.Tested, err, req.Update)
	} else {
		changed = c.checkObjects(&t.Tested, result.Objects(), req.Update)
	}
	if !changed || !req.Update {
		return
	}
	if c.archive != nil {
		if err := writeTest(req.Dir, t.File, txtar.Format(c.archive)); err != nil {
			t.fail("%v", err)
			return
		}
	}
	if t.Status == Passed {
		t.Status = Updated
	}
}

// check returns what an API server would refuse in the objects.
func (req TestRequest) check(ctx context.Context, c *testCase, result *render.Result) error {
	return build.Check(ctx, build.Request{
		Validate: build.ValidateStrict, BuiltIns: build.ValidateStrict, Schemas: req.Schemas,
		KubeVersion: cmp.Or(c.kubeVersion, req.KubeVersion), Values: c.values,
	}, &source.Module{Dir: req.Dir}, result, event.Func(func(event.Event) {}))
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
	case update && c.archive != nil:
		return c.set(errorSection, []byte(messageOf(err)))
	}
	t.fail("the error does not say:\n    %s\nbut:\n    %s",
		strings.Join(missing, "\n    "), strings.ReplaceAll(err.Error(), "\n", "\n    "))
	return false
}

// placeRE matches what stands before a message: FILE:LINE:COLUMN.
var placeRE = regexp.MustCompile(`^[^ ]+:\d+(:\d+)?: `)

// messageOf returns what an error says, without the places and the explanations,
// which are indented.
func messageOf(err error) string {
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
		t.fail("nothing is expected: an update writes the objects that are rendered into it")
	case update && (empty || c.exact && c.objects != all):
		if changed = c.setObjects(objects, all); !changed {
			t.fail("the objects are others, and what the test computes cannot be updated:\n%s", difference(c.objects, all))
		}
	case c.exact && c.objects != all:
		t.fail("the objects are others:\n%s", difference(c.objects, all))
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

func (c *testCase) setObjects(objects []api.Object, text string) (changed bool) {
	if c.cue != nil {
		return c.cue.setObjects(c, objects)
	}
	return c.set(objectsSection, []byte(text))
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
		case update && c.cue != nil && c.cue.takeOver(want.value, map[string]any(want.object), map[string]any(got)):
			changed = true
		case update && c.archive != nil:
			of, _ := part(map[string]any(want.object), map[string]any(got)).(map[string]any)
			texts[i], changed = string(api.YAML([]api.Object{of})), true
		default:
			t.fail("%s differs from the expected object:\n%s", title(want.object), difference)
		}
	}
	if changed && c.archive != nil {
		c.set(wantSection, []byte(strings.Join(texts, "---\n")))
	}
	return changed
}
