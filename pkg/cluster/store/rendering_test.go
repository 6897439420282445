// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// rendered returns a rendering that takes about as many bytes when it is packed.
func rendered(t *testing.T, name string, bytes int) api.Rendering {
	t.Helper()
	noise := make([]byte, bytes)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	object := api.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"n": hex.EncodeToString(noise)}}
	return api.Rendering{Stages: []api.Stage{{Name: "app", Objects: []api.Object{object}}}}
}

// TestFullLedgerDropsOldestRenderings holds what of the renderings there is room
// for: the newest ones, and that the others are known to be missing.
func TestFullLedgerDropsOldestRenderings(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	rec, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const small, third, most, tooLarge = 1 << 10, 300 << 10, 800 << 10, 1 << 20
	for name, tc := range map[string]struct {
		sizes []int // the oldest first
		kept  []bool
	}{
		"all fit":             {[]int{small, small, small}, []bool{true, true, true}},
		"the oldest goes":     {[]int{third, third, third}, []bool{false, true, true}},
		"and all before it":   {[]int{small, third, most}, []bool{false, false, true}},
		"too large alone":     {[]int{small, small, tooLarge}, []bool{true, true, false}},
		"too large in middle": {[]int{small, tooLarge, small}, []bool{true, false, true}},
	} {
		before, err := s.Ledger(t.Context(), ns, "app")
		if err != nil {
			t.Fatal(err)
		}
		next := &store.Ledger{Fingerprints: map[string]string{"a": name}}
		var want []api.Rendering
		for i, size := range tc.sizes {
			r := store.Revision{Number: i + 1, Values: "{}", Outcome: store.Succeeded}
			rendering := rendered(t, fmt.Sprintf("%s-%d", name, i), size)
			if err = r.Keep(rendering); err != nil {
				t.Fatal(err)
			}
			next.History, want = append(next.History, r), append(want, rendering)
		}
		if err = s.SaveLedger(t.Context(), rec, before, next); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := s.Ledger(t.Context(), ns, "app")
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range got.History {
			rendering, ok := r.Rendering()
			if ok != tc.kept[i] || ok != (r.Kept() == store.KeptFull) || ok == (r.WithoutRendering == "the ledger is full") {
				t.Errorf("%s: revision %d: %v, %s, %q", name, r.Number, ok, r.Kept(), r.WithoutRendering)
			}
			if diff := cmp.Diff(want[i], rendering); ok && diff != "" {
				t.Errorf("%s: revision %d (-want +got):\n%s", name, r.Number, diff)
			}
		}
	}
}
