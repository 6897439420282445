// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// trouble is a fault that one request meets, and whether the run must come
// through it: otherwise it may end with an error, after which the next must.
type trouble struct {
	fault    kit.Fault
	survives bool
}

func troubles() map[string]trouble {
	return map[string]trouble{
		"conflict":   {kit.Answer(http.StatusConflict, metav1.StatusReasonConflict), false},
		"overloaded": {kit.Overloaded, true},
		"broken":     {kit.Answer(http.StatusInternalServerError, metav1.StatusReasonInternalError), false},
		"timed out":  {kit.TimedOut, false},
	}
}

// TestFaultAtEveryRequest holds that a server that fails once, at any request
// of a run, costs at most that run: the same one, made again, gets to where it
// would have got without.
func TestFaultAtEveryRequest(t *testing.T) {
	t.Parallel()
	for verb, c := range map[string]crash{
		"install": {0, 1, 1},
		"upgrade": {1, 2, 2},
		"delete":  {1, 0, 0},
	} {
		for name, trouble := range troubles() {
			t.Run(verb+", "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				proxy := w.cp.Proxy(t)
				client := w.through(proxy)
				want := w.expect(c.then)
				failed := 0
				for n := 1; ; n++ {
					if c.before > 0 {
						w.run(context.Background(), c.before)
					}
					proxy.Inject(n, trouble.fault)
					err := client.try(context.Background(), c.killed)
					requests := proxy.Passed()
					proxy.Inject(0, nil)
					if err != nil {
						failed++
						if trouble.survives || requests < n {
							t.Fatalf("request %d: %v", n, err)
						}
						client.run(context.Background(), c.then)
					}
					w.wantState(n, want)
					w.clean()
					if requests < n {
						t.Logf("%d requests, of which %d ended the run", n-1, failed)
						return
					}
				}
			})
		}
	}
}

// TestBrokenWatch holds that a watch that breaks is taken up again.
func TestBrokenWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxy := w.cp.Proxy(t)
	client := w.through(proxy)
	resource(t, client, "apps/v1", "Deployment")
	for n := 1; ; n++ {
		proxy.Inject(n, kit.BrokenWatch)
		client.apply(client.request(deployment("slow"), configMap("after", "x")))
		requests := proxy.Passed()
		if ready, _, _ := nested(w.live("apps/v1", "Deployment", "slow"), "status", "readyReplicas"); ready != int64(1) {
			t.Errorf("request %d: apply returned before the Deployment was ready", n)
		}
		w.clean()
		if requests < n {
			return
		}
	}
}
