// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/json"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Drift is how an object differs from what the last apply left of it.
type Drift struct {
	// Action is what another apply would do with it: Created, Configured,
	// Refused, or Unchanged when others have only added fields, which stay.
	Action event.Action
	Reason string

	Live     api.Object // nil when it does not exist
	Recorded api.Object // as the last apply left it
	Added    []fieldset.Addition
}

// driftOf compares a live object with the values that the ledger has of it,
// which may be empty: then only fields are known to have changed that a tool
// has written which the next apply overrides. It is nil when there is nothing
// to tell.
func driftOf(m fieldset.Manager, skeleton, live api.Object, applied json.RawMessage) (*Drift, error) {
	values := fieldset.DecodeValues(applied)
	if live == nil {
		return &Drift{Action: event.Created, Reason: "it does not exist", Recorded: values.Over(skeleton)}, nil
	}
	if live.IsEnabled(api.AnnotationOneOff) {
		return nil, nil
	}
	owners, err := m.Owners(live)
	if err != nil {
		return nil, err
	}
	values = m.Expected(values, live)
	recorded := values.Over(fieldset.Without(live, owners.Taken))
	d := &Drift{Action: event.Unchanged, Live: live, Recorded: recorded, Added: owners.Added(values)}
	if changes := delta.Compare(live, recorded); len(changes) > 0 {
		d.Action, d.Reason = event.Configured, changedBy(owners.Writers(changes))
	} else if len(d.Added) == 0 {
		return nil, nil
	}
	return d, nil
}

func changedBy(writers []string) string {
	if writers == nil {
		return "fields of ours were removed or changed"
	}
	return "changed by " + strings.Join(writers, ", ")
}

// lastManager returns the manager of the last run.
func lastManager(ledger *store.Ledger) fieldset.Manager {
	if ledger.FieldManager != "" {
		return fieldset.Manager{Name: ledger.FieldManager, Former: []string{api.FieldManager}}
	}
	return fieldset.Manager{Name: api.FieldManager}
}
