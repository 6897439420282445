// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestMemoryOfTheProcess holds that what the caller holds does not count, that
// renderings share one budget, and that a limit can be turned off. Each runs in
// a process of its own, whose memory it is about.
func TestMemoryOfTheProcess(t *testing.T) {
	t.Parallel()
	const variable = "TIMONI_TEST_MEMORY"
	cases := map[string]func(*testing.T, string, string){
		"caller": checkCaller, "together": checkTogether, "unlimited": checkUnlimited,
	}
	if name := os.Getenv(variable); name != "" {
		small := fixture.Module(t, map[string]string{"timoni.cue": strings.Replace(slow, "45", "4", 1)})
		large := fixture.Module(t, map[string]string{"timoni.cue": strings.Replace(slow, "45", "30", 1)})
		cases[name](t, small, large)
		return
	}
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemoryOfTheProcess$")
			cmd.Env = append(os.Environ(), variable+"="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func buildLimited(t *testing.T, dir string, memory int64) error {
	t.Helper()
	_, err := render.Build(t.Context(), render.Request{Dir: dir, Name: "app", Namespace: "apps", Limits: render.Limits{Memory: memory, Time: render.Unlimited}})
	return err
}

// checkCaller renders a small module in a process that holds more than the limit,
// and makes garbage.
func checkCaller(t *testing.T, small, _ string) {
	t.Helper()
	held := make([][]byte, 300)
	for i := range held {
		held[i] = make([]byte, 1<<20)
		for k := range held[i] {
			held[i][k] = byte(k)
		}
	}
	for range 5 {
		if err := buildLimited(t, small, 128<<20); err != nil {
			t.Errorf("with 300 MiB of the caller: %v", err)
		}
	}
	runtime.KeepAlive(held)
}

// checkTogether renders modules at once, of which each fits into the limit and
// all together do not.
func checkTogether(t *testing.T, _, large string) {
	t.Helper()
	const limit = 160 << 20
	if err := buildLimited(t, large, limit); err != nil {
		t.Fatalf("one alone: %v", err)
	}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = buildLimited(t, large, limit) })
	}
	all.Wait()
	err := errors.Join(errs...)
	if limited, ok := errors.AsType[*render.LimitError](err); !ok || limited.Memory != limit || limited.Time != 0 {
		t.Errorf("error %v, want a LimitError", err)
	}
}

// checkUnlimited renders a module without a limit that one does not let pass.
func checkUnlimited(t *testing.T, _, large string) {
	t.Helper()
	if err := buildLimited(t, large, render.Unlimited); err != nil {
		t.Errorf("without a limit: %v", err)
	}
	if err := buildLimited(t, large, 1<<20); !errors.Is(err, render.ErrLimit) || !strings.Contains(fmt.Sprint(err), "needs more than 1Mi of memory") {
		t.Errorf("with a limit of 1 MiB: %v", err)
	}
}
