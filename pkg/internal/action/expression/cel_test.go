// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/expression"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
)

// stranger is set for a child that does not know the verb.
const stranger = "KUBECTL_TIMONI_TEST_STRANGER"

// TestMain is the child as well.
func TestMain(m *testing.M) {
	if !slices.Equal(os.Args[1:], []string{expression.Verb}) {
		os.Exit(m.Run())
	}
	if os.Getenv(stranger) != "" {
		fmt.Fprintln(os.Stderr, "error: unknown command \"cel\"\nhint: none")
		os.Exit(int(fail.Usage))
	}
	expressions, err := cel.NewExpressions()
	if err == nil {
		err = expression.Serve(os.Stdin, os.Stdout, expressions)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(0)
}

// TestServe holds the two programs to the lines between them: they may be of
// different versions.
func TestServe(t *testing.T) {
	t.Parallel()
	expressions, err := cel.NewExpressions()
	if err != nil {
		t.Fatal(err)
	}
	in := `{"expression":"self.a == 1"}
{"expression":"self.a == 1","object":{"a":1}}
{"expression":"self.a == 1","object":{"a":2}}
{"expression":"self.a == 1","object":{}}
{"expression":"self.a","object":{"a":1}}
{"expression":"1"}
{"expression":"self.a == 1","object":[]}
`
	want := `{"holds":false}
{"holds":true}
{"holds":false}
{"holds":false,"lack":"no such key: a"}
{"holds":false,"error":"it gives int and not true or false"}
{"holds":false,"error":"it gives int and not true or false"}
{"holds":false,"error":"json: cannot unmarshal array into Go value of type map[string]interface {}"}
`
	var out strings.Builder
	if err := expression.Serve(strings.NewReader(in), &out, expressions); err != nil || out.String() != want {
		t.Errorf("got %v and\n%swant\n%s", err, out.String(), want)
	}
	if err := expression.Serve(strings.NewReader("{"), &out, expressions); err == nil {
		t.Error("half a request is taken for the end")
	}
}

func TestChild(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	child := start(ctx, t)
	const ready = `self.status.phase == "Ready"`
	if err := child.Compile(ready); err != nil {
		t.Fatal(err)
	}
	if err := child.Compile("self."); fail.CodeOf(err) != fail.Usage || !strings.HasPrefix(err.Error(), "column 6: ") {
		t.Errorf("Compile: %v", err)
	}
	object := api.Object{"status": map[string]any{"phase": "Ready"}, "large": strings.Repeat("x", 1<<20)}
	if holds, lack, err := child.Holds(ready, object); !holds || lack != "" || err != nil {
		t.Errorf("Holds: %v %q %v", holds, lack, err)
	}
	if holds, lack, err := child.Holds(ready, api.Object{}); holds || lack != "no such key: status" || err != nil {
		t.Errorf("Holds: %v %q %v", holds, lack, err)
	}
	if _, _, err := child.Holds("self.status.phase", object); err == nil {
		t.Error("Holds: a string is taken for an answer")
	}
	interrupted := errors.New("interrupted")
	cancel(interrupted)
	if err := child.Compile(ready); err != nil && !errors.Is(err, interrupted) {
		t.Errorf("after the end: %v", err)
	}
}

// TestStranger holds that a child which cannot do it is quoted.
func TestStranger(t *testing.T) {
	t.Setenv(stranger, "1")
	child := start(t.Context(), t)
	err := child.Compile("true")
	if err == nil || !strings.HasSuffix(err.Error(), `exit status 2: unknown command "cel"`) || len(fail.HintsOf(err)) != 1 {
		t.Errorf("error %v, hints %q", err, fail.HintsOf(err))
	}
	if _, err := expression.Start(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a program that does not exist is started")
	}
}

func start(ctx context.Context, t *testing.T) *expression.Child {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child, err := expression.Start(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.Close)
	return child
}
