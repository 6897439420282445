// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// revision returns a revision with values of a size and with numbered objects.
func revision(ns string, values, first, count int) api.Instance {
	i := instance(ns, "1.0.0")
	i.Values = strings.Repeat("x", values)
	for n := range count {
		i.Inventory.Entries = append(i.Inventory.Entries, api.Entry{ID: fmt.Sprintf("%s_an-object-with-a-long-name-%06d__ConfigMap", ns, first+n), Version: "v1"})
	}
	return i
}

// TestLargeRevisions holds that what can be installed can be upgraded: neither
// values nor inventory are held twice.
func TestLargeRevisions(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	var rec *store.Record
	for _, step := range []struct {
		name string
		next api.Instance
	}{
		{"large values", revision(ns, 900<<10, 0, 3)},
		{"other large values", revision(ns, 1000<<10, 0, 3)},
		{"smaller values, another object", revision(ns, 500<<10, 1, 3)},
		{"a large inventory", revision(ns, 10, 0, 8000)},
		{"one more object", revision(ns, 100<<10, 0, 8001)},
		{"all objects but one", revision(ns, 100<<10, 1, 8000)},
		{"a small one", revision(ns, 10, 0, 3)},
	} {
		if err := store.Check(rec, nil, step.next); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		known := rec.Inventory()
		begun, err := s.Begin(t.Context(), rec, step.next, nil)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		// A run that ends here leaves a record that names whatever may exist.
		if rec, err = s.Get(t.Context(), ns, "app"); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		named := map[string]bool{}
		for _, e := range rec.Inventory() {
			named[e.ID] = true
		}
		for _, e := range append(known, step.next.Inventory.Entries...) {
			if !named[e.ID] {
				t.Fatalf("%s: the record does not name %s", step.name, e.ID)
			}
		}
		if rec, err = s.Finish(t.Context(), begun, step.next); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.next, rec.Instance); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// TestSizeIsRefused holds what the refusal says, and that a revision that is
// smaller than one that was recorded is never refused.
func TestSizeIsRefused(t *testing.T) {
	t.Parallel()
	err := store.Check(nil, nil, revision("ns", 1<<20, 0, 3))
	if codeOf(err) != fail.Refused || !strings.Contains(fmt.Sprint(err), "the values take 1048576 bytes, the inventory of 3 objects 211; make the values smaller") {
		t.Errorf("values of the size of a Secret: %v", err)
	}
	large := &store.Record{Instance: revision("ns", 10, 0, 10000)}
	if err = store.Check(large, nil, revision("ns", 10, 10000, 10000)); codeOf(err) != fail.Refused || !strings.Contains(fmt.Sprint(err), "first apply a revision that removes objects and adds none") {
		t.Errorf("other objects: %v", err)
	}
	if err = store.Check(large, nil, revision("ns", 10, 5000, 10)); err != nil {
		t.Errorf("fewer objects: %v", err)
	}

	full := 1<<20 - 8<<10
	for _, objects := range []int{0, 1, 100, 5000} {
		largest := revision("ns", 0, 0, objects)
		largest.Values = "x"
		largest = revision("ns", full-len(encode(t, largest)), 0, objects)
		if err = store.Check(nil, nil, largest); err != nil {
			t.Fatalf("the largest with %d objects: %v", objects, err)
		}
		for _, smaller := range []api.Instance{largest, revision("ns", len(largest.Values)/2, objects/2, objects/2), revision("ns", 0, 0, 0)} {
			if err = store.Check(&store.Record{Instance: largest}, nil, smaller); err != nil {
				t.Errorf("%d objects, then %d with values of %d bytes: %v", objects, len(smaller.Inventory.Entries), len(smaller.Values), err)
			}
		}
	}
}
