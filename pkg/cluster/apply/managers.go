// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// managers returns the entries of metadata.managedFields.
func managers(o api.Object) []map[string]any {
	metadata, _ := o["metadata"].(map[string]any)
	list, _ := metadata["managedFields"].([]any)
	entries := make([]map[string]any, 0, len(list))
	for _, e := range list {
		if entry, ok := e.(map[string]any); ok {
			entries = append(entries, entry)
		}
	}
	return entries
}

// fieldManager is the name under which an instance is applied.
type fieldManager struct {
	name   string
	former []string // names under which it was, whose fields are moved to name
}

// managerOf returns the manager of a run by this client: the ledger has the name
// of the last one, and objects from before that, or of the reference tool, have
// the common name.
func managerOf(client *kube.Client, ledger *store.Ledger) fieldManager {
	m := fieldManager{name: client.FieldManager()}
	for _, name := range []string{ledger.FieldManager, api.FieldManager} {
		if name != "" && name != m.name {
			m.former = append(m.former, name)
		}
	}
	return m
}

// lastManager returns the manager of the last run.
func lastManager(ledger *store.Ledger) fieldManager {
	if ledger.FieldManager != "" {
		return fieldManager{name: ledger.FieldManager, former: []string{api.FieldManager}}
	}
	return fieldManager{name: api.FieldManager}
}

// isOurs says whether an entry holds what we have applied.
func (m fieldManager) isOurs(entry map[string]any) bool {
	return entry["manager"] == m.name && entry["operation"] == string(metav1.ManagedFieldsOperationApply) &&
		entry["subresource"] == nil
}

// isOverridden says whether an entry is one of a tool that a person used on the
// object by hand or before it became ours. Its fields are taken back, so that
// what it added goes (docs/interop.md, section 3).
func (m fieldManager) isOverridden(entry map[string]any) bool {
	name, _ := entry["manager"].(string)
	switch {
	case entry["subresource"] == "status":
		return false
	case name == m.name: // what we have written, and not applied: an object that was put back
		return !m.isOurs(entry) && entry["subresource"] == nil
	}
	return slices.Contains(m.former, name) || strings.HasPrefix(name, "kubectl") || strings.HasPrefix(name, "helm") ||
		strings.HasPrefix(name, "Helm") || name == "before-first-apply"
}

// foreignEntry names a manager whose fields are to be taken back, empty when
// there is none.
func (m fieldManager) foreignEntry(o api.Object) string {
	for _, entry := range managers(o) {
		if m.isOverridden(entry) {
			return fmt.Sprint(entry["manager"])
		}
	}
	return ""
}

// takenBack returns the entries of an object with the fields of overridden
// managers moved to ours. An apply that follows removes those of them that are
// not wanted.
func (m fieldManager) takenBack(o api.Object) ([]any, error) {
	ours := map[string]any{
		"manager": m.name, "operation": string(metav1.ManagedFieldsOperationApply),
		"apiVersion": o.APIVersion(), "fieldsType": "FieldsV1",
	}
	var kept []any
	union := fieldpath.NewSet()
	for _, entry := range managers(o) {
		if !m.isOurs(entry) && !m.isOverridden(entry) {
			kept = append(kept, entry)
			continue
		}
		set, err := fieldSet(entry)
		if err != nil {
			return nil, err
		}
		union = union.Union(set)
	}
	text, err := union.ToJSON()
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	ours["fieldsV1"] = fields
	return append(kept, ours), nil
}

func fieldSet(entry map[string]any) (*fieldpath.Set, error) {
	text, err := json.Marshal(entry["fieldsV1"])
	if err != nil {
		return nil, err
	}
	set := fieldpath.NewSet()
	if err := set.FromJSON(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("read the fields of manager %q: %w", entry["manager"], err)
	}
	return set, nil
}

// replicasOwner names who scales the object through its scale subresource, an
// autoscaler, empty when nobody does. A person who did is overridden.
func (m fieldManager) replicasOwner(live api.Object) string {
	for _, entry := range managers(live) {
		if entry["subresource"] == "scale" && !m.isOverridden(entry) {
			return fmt.Sprint(entry["manager"])
		}
	}
	return ""
}

// otherAppliers returns the managers that apply the object server-side beside
// us.
func (m fieldManager) otherAppliers(live api.Object) []string {
	var names []string
	for _, entry := range managers(live) {
		name, _ := entry["manager"].(string)
		if entry["operation"] == string(metav1.ManagedFieldsOperationApply) && name != m.name && !m.isOverridden(entry) {
			names = append(names, name)
		}
	}
	return names
}

// isFieldConflict says whether err is about fields and not about a version of
// the object.
func isFieldConflict(err error) bool {
	return apierrors.IsConflict(err) && apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict)
}

// conflictError returns the refusal for fields that other appliers own, nil
// when err is not about such fields: what controllers have written is ours to
// put right.
func conflictError(s *Step, err error) error {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return nil
	}
	appliers := s.manager.otherAppliers(s.live)
	var fields []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		owned := slices.ContainsFunc(appliers, func(name string) bool {
			return strings.Contains(cause.Message, fmt.Sprintf("%q", name))
		})
		if owned {
			fields = append(fields, fmt.Sprintf("%s (%s)", cause.Field, cause.Message))
		}
	}
	if fields == nil {
		return nil
	}
	return fail.Hint(fail.Refusedf("%s: fields that another applier owns differ: %s", s.Ref(), strings.Join(fields, ", ")),
		"leave them out of the module or take them over with --force-conflicts")
}
