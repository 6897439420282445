// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Move is what happens to the managed fields of an object before it is applied:
// fields become ours, so that the apply removes those of them that the module
// does not set.
type Move struct {
	Entries  []any          // metadata.managedFields afterwards, nil when nothing moves
	Fields   *fieldpath.Set // ours afterwards
	Managers []string       // the managers whose fields are taken back
	Keys     bool           // keys that were applied as stringData become data
	Defaults []string       // the paths of fields that the server has defaulted
}

// Move returns what is to move before an apply over a live object: the fields
// of overridden managers, those that an earlier version applied as the
// stringData of a Secret, and defaults, which have no owner.
func (m Manager) Move(live api.Object, defaults *fieldpath.Set) (Move, error) {
	move := Move{Fields: fieldpath.NewSet()}
	var kept []any
	for _, e := range entries(live) {
		overridden := m.isOverridden(e, live)
		if !overridden && !m.isOurs(e) {
			kept = append(kept, map[string]any(e))
			continue
		}
		set, err := e.fields()
		if err != nil {
			return Move{}, err
		}
		if overridden {
			set = set.Difference(left(live))
			move.Managers = append(move.Managers, e.manager())
		}
		move.Fields = move.Fields.Union(set)
	}
	if text := move.Fields.WithPrefix(field("stringData")); live.IsSecret() && !text.Empty() {
		move.Keys = true
		before := under(field("stringData"), text)
		before.Insert(fieldpath.Path{field("stringData")})
		move.Fields = move.Fields.Difference(before).Union(under(field("data"), text))
	}
	if defaults == nil && !move.Keys && move.Managers == nil {
		return Move{}, nil
	}
	if defaults != nil {
		move.Fields, move.Defaults = move.Fields.Union(defaults), pathsOf(defaults)
	}
	slices.Sort(move.Managers)
	move.Managers = slices.Compact(move.Managers)
	fields, err := fieldsV1(move.Fields)
	kept = append(kept, map[string]any{
		"manager": m.Name, "operation": string(metav1.ManagedFieldsOperationApply),
		"apiVersion": live.APIVersion(), "fieldsType": "FieldsV1", "fieldsV1": fields,
	})
	move.Entries = kept
	return move, err
}

func replicas() fieldpath.Path { return fieldpath.MakePathOrDie("spec", "replicas") }

// Reason says why fields move, empty when none does.
func (move Move) Reason() string {
	var reasons []string
	if move.Managers != nil {
		reasons = append(reasons, "fields written by "+strings.Join(move.Managers, ", ")+" are taken back")
	}
	if move.Keys {
		reasons = append(reasons, "what was applied as stringData is applied as data")
	}
	if move.Defaults != nil {
		reasons = append(reasons, "the server's default of "+strings.Join(move.Defaults, ", ")+" is dropped")
	}
	return strings.Join(reasons, "; ")
}

// left returns the fields of a live object that are left alone, whichever client wrote
// them: those of controllers, and the mark of 'kubectl rollout restart'. Taking
// that one back would replace all Pods once more.
func left(live api.Object) *fieldpath.Set {
	annotations := fieldpath.MakePathOrDie("spec", "template", "metadata", "annotations")
	set := fieldpath.NewSet(annotations, append(annotations.Copy(), field("kubectl.kubernetes.io/restartedAt")))
	if c, ok := contractOf(live); ok {
		set = set.Union(c.fields(live))
	}
	return set
}
