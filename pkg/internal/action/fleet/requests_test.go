// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// TestUnchangedRequests holds the budget of docs/benchmarks.md: an apply of 20
// instances with 200 objects of three kinds in four namespaces, which changes
// nothing, makes at most 20 requests and 4 for each instance.
func TestUnchangedRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spaces := []string{w.ns, w.more, w.ns + "-third", w.ns + "-fourth"}
	for _, ns := range spaces[2:] {
		w.namespace(ns)
	}
	instances := map[string]one{}
	for i := range 20 {
		in := one{namespace: spaces[i%4]}
		for k := range 6 {
			in.objects = append(in.objects, fmt.Sprintf("c%d-%d=x", i, k))
		}
		for k := range 2 {
			in.more += fmt.Sprintf("s%d: {apiVersion: \"v1\", kind: \"Secret\", metadata: name: \"s%d-%d\", stringData: key: \"x\"}\n", k, i, k)
			in.more += fmt.Sprintf("a%d: {apiVersion: \"v1\", kind: \"ServiceAccount\", metadata: name: \"a%d-%d\"}\n", k, i, k)
		}
		instances[fmt.Sprintf("i%02d", i)] = in
	}
	req := request(w.bundle("twenty", instances))
	w.apply(req)
	since := w.mark()
	applied := w.apply(req)
	requests := w.requests(since)
	if most := 20 + 4*len(instances); len(requests) > most {
		t.Errorf("%d requests, want at most %d:\n%s", len(requests), most, strings.Join(requests, "\n"))
	}
	for _, r := range requests {
		if verb, _, _ := strings.Cut(r, " "); !slices.Contains([]string{"get", "list"}, verb) {
			t.Errorf("it is not unchanged: %s", r)
		}
	}
	t.Logf("%d requests for %d objects", len(requests), len(applied.Outcomes()))
}

// TestUnchangedRoundTrips holds that an unchanged apply of a bundle takes two
// round trips in a row, however many instances it has.
func TestUnchangedRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	instances := map[string]one{}
	for i := range 6 {
		instances[fmt.Sprintf("i%d", i)] = one{namespace: []string{w.ns, w.more}[i%2], objects: []string{fmt.Sprintf("c%d=x", i)}}
	}
	req := request(w.bundle("six", instances))
	w.apply(req)
	proxy := w.cp.Proxy(t)
	far := w.through(proxy)
	verify := proxy.Waves(
		kit.Wave{"GET /version": 1, "GET /api/v1/secrets": 1},
		kit.Wave{"GET /api/v1/namespaces/*": 2, "GET /api/v1/namespaces/*/secrets/timoni-ledger.*": 6, "GET /api/v1/namespaces/*/configmaps": 6},
	)
	far.apply(req)
	if err := verify(); err != nil {
		t.Error(err)
	}
}
