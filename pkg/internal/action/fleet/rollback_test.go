// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
)

// failing returns the file of a bundle whose second revision fails in its second
// stage, after it has changed, dropped and added objects in the first.
func (w *world) failing(n int) []cuefile.File {
	in := one{namespace: w.ns, objects: []string{"a1=x", "a2=x"}}
	switch n {
	case 2:
		in.objects = []string{"a1=y", "a3=x"}
		in.more = "}\n values: stages: last: {bad: {apiVersion: \"nothing.example.com/v1\", kind: \"Nothing\", metadata: name: \"x\"}\n"
	case 3:
		in.objects = []string{"a2=z", "a4=x"}
	}
	return w.bundle("shop", map[string]one{"a": in})
}

// back applies a revision that is rolled back when it fails.
func (w *world) back(ctx context.Context, n int) error {
	req := request(w.failing(n))
	req.Apply.HistoryLimit, req.Apply.RollbackOnFailure = 0, true
	_, err := fleet.Apply(ctx, w.site(), req, w.observer())
	return err
}

// TestKilledInRollback holds that a run which fails is rolled back and, killed
// after any of its requests, leaves a state from which the next run gets to where
// it would have got without.
func TestKilledInRollback(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]int{"the same again": 1, "next revision": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			proxy := w.cp.Proxy(t)
			text, err := os.ReadFile(proxy.Kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			mortal := &world{t: t, cp: w.cp, ns: w.ns, more: w.more}
			mortal.as(text)
			if _, err = mortal.client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}); err != nil {
				t.Fatal(err)
			}
			apply := func(n int) []string {
				if err := w.back(context.Background(), n); err != nil {
					t.Fatalf("revision %d: %v", n, err)
				}
				return w.state()
			}
			want := map[int][]string{then: apply(then), 1: apply(1)}
			step := 1
			if os.Getenv(allPoints) == "" {
				step = 3
			}
			for n, survived := 1, false; !survived; n += step {
				ctx, kill := context.WithCancel(context.Background())
				proxy.KillAfter(n, kill)
				err := mortal.back(ctx, 2)
				survived = proxy.Passed() < n
				kill()
				if undone, ok := errors.AsType[*deploy.UndoneError](err); survived && (!ok || undone.Rollback == "") {
					t.Fatalf("it was not rolled back: %v", err)
				}
				if diff := cmp.Diff(want[1], w.state()); survived && diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
				if diff := cmp.Diff(want[then], apply(then)); diff != "" {
					t.Fatalf("killed after %d requests (-want +got):\n%s", n, diff)
				}
				apply(1)
				if survived {
					t.Logf("%d requests", n-1)
				}
			}
			if err = w.delete(context.Background(), w.failing(1), true); err != nil {
				t.Error(err)
			}
		})
	}
}
