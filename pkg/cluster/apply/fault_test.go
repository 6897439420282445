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
		"install": {before: 0, killed: 1, then: 1},
		"upgrade": {before: 1, killed: 2, then: 2},
		"delete":  {before: 1, killed: 0, then: 0},
	} {
		for name, trouble := range troubles() {
			t.Run(verb+", "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				proxy := w.cp.Proxy(t)
				client := w.through(proxy)
				want := w.expect(c, c.then)
				for n := 1; !w.faultAt(proxy, client, c, n, trouble, want); n++ {
				}
			})
		}
	}
}

// faultAt carries c out with a fault at the nth request, and after an error
// once more. It returns whether the run ended before that request.
func (w *world) faultAt(proxy *kit.Proxy, client *world, c crash, n int, trouble trouble, want []string) bool {
	w.t.Helper()
	if c.before > 0 {
		w.run(context.Background(), c, c.before)
	}
	proxy.Inject(n, trouble.fault)
	err := client.try(context.Background(), c, c.killed)
	survived := proxy.Passed() < n
	proxy.Inject(0, nil)
	if err != nil && (trouble.survives || survived) {
		w.t.Fatalf("request %d: %v", n, err)
	}
	if err != nil {
		client.run(context.Background(), c, c.then)
	}
	w.wantState(n, want)
	w.clean()
	return survived
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
