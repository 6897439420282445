// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

const (
	// maxRecord is the size that Kubernetes allows for the data of a Secret.
	maxRecord = 1 << 20
	// reserve is what a complete revision leaves free, so that the next one can
	// always be named next to it.
	reserve = 8 << 10
)

// upgrading returns the record of a run that upgrades prev to a revision.
//
// Pending names the module and the objects that the revision adds. The
// inventory of prev counts with it, in every tool that reads records, and
// the values of a revision that is not complete serve no reader: the next run
// brings its own, and a rollback takes those of the ledger. So values and
// inventory are not held twice.
//
// Where both do not fit all the same, the revision is recorded up front, with
// all objects that may exist, as the first install does.
func upgrading(prev *Record, want api.Instance) *Record {
	pending := want
	pending.Values, pending.Images, pending.Module.Annotations = "", nil, nil
	pending.Inventory.Entries = added(prev, want)
	next := &Record{Instance: prev.Instance, Pending: &pending, begun: prev.begun}
	if size(next) <= maxRecord {
		return next
	}
	want.Inventory.Entries = unique(append(slices.Clone(want.Inventory.Entries), prev.Inventory()...))
	pending.Inventory.Entries = []api.Entry{}
	return &Record{Instance: want, Pending: &pending, begun: want.LastTransitionTime}
}

// added returns what a revision, or an earlier one that did not end either,
// adds to the inventory of the last complete one.
func added(prev *Record, want api.Instance) []api.Entry {
	known := map[string]bool{}
	for _, e := range prev.Instance.Inventory.Entries {
		known[e.ID] = true
	}
	entries := slices.Clone(want.Inventory.Entries)
	if prev.Pending != nil {
		entries = append(entries, prev.Pending.Inventory.Entries...)
	}
	entries = slices.DeleteFunc(unique(entries), func(e api.Entry) bool { return known[e.ID] })
	if entries == nil {
		return []api.Entry{} // null is no list to some readers
	}
	return entries
}

// Check returns an error when a revision cannot be recorded: the record or the
// ledger is of a newer version, or the record would be larger than Kubernetes
// allows. Both prev and ledger are nil for an instance that is not installed.
func Check(prev *Record, ledger *Ledger, want api.Instance) error {
	if err := Writable(prev, ledger); err != nil {
		return err
	}
	if n := size(&Record{Instance: want}); n > maxRecord-reserve {
		return tooLarge(want, n, "make the values smaller, or split the module into several instances")
	}
	if prev == nil {
		return nil
	}
	if n := size(upgrading(prev, want)); n > maxRecord {
		return tooLarge(want, n, "while the upgrade runs, the record also names the objects of the revision before: "+
			"first apply a revision that removes objects and adds none")
	}
	return nil
}

func tooLarge(want api.Instance, n int, advice string) error {
	inventory, _ := json.Marshal(want.Inventory) // of strings: it does not fail
	return fail.Refusedf("the record of instance %q would take %d bytes, more than %d: "+
		"the values take %d bytes, the inventory of %d objects %d; %s",
		want.Metadata.Name, n, maxRecord-reserve, len(want.Values), len(want.Inventory.Entries), len(inventory), advice)
}

// size returns how much of a Secret a record takes.
func size(r *Record) int {
	data, err := encode(r)
	if err != nil {
		return 0 // its write says so
	}
	n := 0
	for _, v := range data {
		text := v.(string)
		n += base64.StdEncoding.DecodedLen(len(text)) - strings.Count(text, "=")
	}
	return n
}
