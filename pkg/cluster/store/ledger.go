// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

const (
	ledgerPrefix    = "timoni-ledger."
	ledgerComponent = "ledger" // not the one by which records are listed
	ledgerKey       = "ledger"
	// maxLedger bounds the compressed ledger: a Secret holds 1 MiB.
	maxLedger = 900 << 10
	// maxInflated bounds what is read, as any client may have written it.
	maxInflated = 64 << 20
)

// Ledger is what we remember of an instance in addition to its record. Nothing depends
// on it: without it an apply asks the server about every object again.
type Ledger struct {
	// Fingerprints say, by inventory id, what an object looked like when it was
	// last found to be as wanted.
	Fingerprints map[string]string `json:"fingerprints,omitempty"`
	// Applied holds, by inventory id, the values of the fields that are ours of
	// an object as it was last found to be as wanted, for comparing it later.
	// Package apply knows their form.
	Applied map[string]json.RawMessage `json:"applied,omitempty"`
	// Stages say, by inventory id, in which stage an object was applied, counted
	// from 1: a delete goes the other way.
	Stages map[string]int `json:"stages,omitempty"`
	// Abandoned are the kinds and namespaces in which a run that did not end, or
	// was suspended and still writes, may have left objects that no inventory
	// names.
	Abandoned []ListKey `json:"abandoned,omitempty"`
	// FieldManager is the name under which the objects were applied, empty for
	// api.FieldManager.
	FieldManager string `json:"fieldManager,omitempty"`
	// Shared says, by inventory id, which instance owns an object that this one
	// uses too, as NAMESPACE/NAME.
	Shared map[string]string `json:"shared,omitempty"`
	// History holds the last revisions, the newest last. Their values may be
	// secret, as those in the record are.
	History []Revision `json:"history,omitempty"`

	secret  api.Object // as read, nil when there is none
	damaged bool       // there is one, and it cannot be read
}

// ListKey is a kind in a namespace, which is empty for all.
type ListKey struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
}

// Revision is one apply that is over.
type Revision struct {
	Number  int        `json:"revision"`
	Time    string     `json:"time"` // RFC 3339
	Module  api.Module `json:"module"`
	Values  string     `json:"values"` // CUE text
	Images  []string   `json:"images,omitempty"`
	Package string     `json:"package,omitempty"` // of the module, empty for main
	User    string     `json:"user,omitempty"`    // who applied it, as the cluster knows them
	Outcome Outcome    `json:"outcome"`
	// UserValues are those that the user gave, as CUE text, without the module's;
	// nil when that is not known.
	UserValues *string `json:"userValues,omitempty"`
	// Hidden are texts in UserValues that come from secret sources.
	Hidden []string `json:"hidden,omitempty"`
	// Objects is DigestOf what was rendered; empty when that is not known.
	Objects string `json:"objects,omitempty"`
	// WithoutRendering is why what was rendered is not kept, although it was to be.
	WithoutRendering string `json:"withoutRendering,omitempty"`

	rendering string // packed, empty when it is not kept
}

// Outcome is how an apply ended.
type Outcome string

// The outcomes. None that is Pending is in a ledger.
const (
	Succeeded Outcome = "Succeeded"
	Failed    Outcome = "Failed"
	Pending   Outcome = "Pending" // the apply is under way, or its process died
)

// With returns the history with one more revision, which gets its number, and
// without those that are older than the newest limit ones.
func (l *Ledger) With(r Revision, limit int) []Revision {
	if limit <= 0 {
		return nil
	}
	r.Number = l.next()
	history := append(slices.Clone(l.History), r)
	return history[max(0, len(history)-limit):]
}

// Last returns the revision that a record, which may be nil, holds or wants, and
// false when the history ends with another one: another tool has written the
// record since, or no history is kept.
func (l *Ledger) Last(rec *Record) (Revision, bool) {
	if rec == nil || len(l.Of(rec).History) == 0 {
		return Revision{}, false
	}
	last := l.History[len(l.History)-1]
	return last, last.Time == rec.Wanted().LastTransitionTime
}

// Complete returns the last revision that was applied in full, which a record, that
// may be nil, holds. Where the history does not have it, since another tool applied
// it or no history is kept, it has no Number.
func (l *Ledger) Complete(rec *Record) (Revision, bool) {
	if rec == nil {
		return Revision{}, false
	}
	is, isComplete := rec.Instance, rec.IsComplete()
	for _, r := range slices.Backward(l.Of(rec).History) {
		if r.Outcome == Succeeded && (!isComplete || r.Time == is.LastTransitionTime) {
			return r, true
		}
	}
	return Revision{Time: is.LastTransitionTime, Module: is.Module, Values: is.Values, Images: is.Images, Outcome: Succeeded}, isComplete
}

// next returns the number of the next revision.
func (l *Ledger) next() int {
	if n := len(l.History); n > 0 {
		return l.History[n-1].Number + 1
	}
	return 1
}

// Revisions returns the history and, last, the revision of a run that is under
// way or died, which the record alone knows of.
func (l *Ledger) Revisions(rec *Record) []Revision {
	history := l.Of(rec).History
	if !rec.IsUnfinished() || rec.HasFailed() {
		return history
	}
	wanted := rec.Wanted()
	if n := len(history); n > 0 && history[n-1].Time == wanted.LastTransitionTime {
		// The run ended after it wrote the ledger and before it wrote the record.
		history = slices.Clone(history)
		history[n-1].Outcome = Pending
		return history
	}
	return append(slices.Clone(history), Revision{
		Number: l.Of(rec).next(), Time: wanted.LastTransitionTime, Module: wanted.Module,
		Values: wanted.Values, Images: wanted.Images, Outcome: Pending,
	})
}

// Ledger returns the ledger of an instance, empty when there is none, or none
// that can be read.
func (s Store) Ledger(ctx context.Context, namespace, name string) (*Ledger, error) {
	secret, err := s.client.Get(ctx, secrets(), namespace, ledgerPrefix+name)
	if apierrors.IsNotFound(err) {
		return &Ledger{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger of instance %q in namespace %q: %w", name, namespace, err)
	}
	return decodeLedger(secret), nil
}

// decodeLedger returns the ledger in a Secret, empty when it cannot be read.
func decodeLedger(secret api.Object) *Ledger {
	ledger := &Ledger{}
	if err := ledger.decode(secret); err != nil {
		ledger = &Ledger{damaged: true}
	}
	ledger.secret = secret
	return ledger
}

// Ledgers returns the ledgers of the cluster, by NAMESPACE/NAME of their
// instances.
func (s Store) Ledgers(ctx context.Context) (map[string]*Ledger, error) {
	list, _, err := s.client.List(ctx, secrets(), "", kube.Selector{Labels: api.LabelComponent + "=" + ledgerComponent})
	if err != nil {
		return nil, fmt.Errorf("list the ledgers: %w", err)
	}
	ledgers := map[string]*Ledger{}
	for _, secret := range list {
		if name, ok := strings.CutPrefix(secret.Name(), ledgerPrefix); ok {
			ledgers[secret.Namespace()+"/"+name] = decodeLedger(secret)
		}
	}
	return ledgers, nil
}

// Shares says whether the instance of a record uses an object that another one
// owns. known is false when the ledger, which may be nil, does not say: it is
// missing, unreadable or that of another record, or a run did not end.
func (l *Ledger) Shares(rec *Record, id string) (shares, known bool) {
	if l == nil || !isOwner(rec.secret, l.secret) {
		return false, false
	}
	return l.Shared[id] != "", !l.damaged && !rec.IsUnfinished() && Writable(rec, l) == nil
}

// Of returns the ledger of a record, and an empty one where it is that of
// another, deleted record, which the garbage collector has not removed yet:
// what that knew is not so any more.
func (l *Ledger) Of(rec *Record) *Ledger {
	if l.secret == nil || rec != nil && isOwner(rec.secret, l.secret) {
		return l
	}
	return &Ledger{secret: l.secret}
}

func isOwner(owner, o api.Object) bool {
	metadata, _ := o["metadata"].(map[string]any)
	references, _ := metadata["ownerReferences"].([]any)
	return slices.ContainsFunc(references, func(r any) bool {
		reference, _ := r.(map[string]any)
		return reference["uid"] == kube.UID(owner)
	})
}

// SaveLedger writes what is to be remembered of an instance, if it differs from
// what was read. The ledger belongs to the record, so that a client which deletes that
// deletes both. To one that another run has written since it was read, the
// revisions are added; when that fails too, the next apply writes it.
func (s Store) SaveLedger(ctx context.Context, rec *Record, ledger, next *Ledger) error {
	err := s.saveLedger(ctx, rec, ledger, next)
	if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
		return err
	}
	m := rec.Instance.Metadata
	written, err := s.Ledger(ctx, m.Namespace, m.Name)
	if err != nil {
		return err
	}
	err = s.saveLedger(ctx, rec, written, next.onto(ledger, written.Of(rec)))
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// onto returns what is to be remembered by a run that read a ledger and finds
// another one written since.
func (l *Ledger) onto(read, written *Ledger) *Ledger {
	next := *l
	next.History = written.History
	for _, r := range l.History {
		if r.Number >= read.next() {
			next.History = (&Ledger{History: next.History}).With(r, len(next.History)+1)
		}
	}
	for _, key := range written.Abandoned {
		if !slices.Contains(next.Abandoned, key) {
			next.Abandoned = append(slices.Clip(next.Abandoned), key)
		}
	}
	return &next
}

func (s Store) saveLedger(ctx context.Context, rec *Record, ledger, next *Ledger) error {
	if err := Writable(nil, ledger); err != nil {
		return err
	}
	if ledger.secret != nil && ledger.same(next) {
		return nil
	}
	data, err := next.encode()
	if err != nil {
		return err
	}
	if maps.Equal(data, ledger.data()) {
		return nil // it differs in what there is no room for
	}
	m := rec.Instance.Metadata
	secret := api.Object{
		"apiVersion": "v1", "kind": "Secret", "type": "timoni.sh/ledger",
		"metadata": map[string]any{
			"name": ledgerPrefix + m.Name, "namespace": m.Namespace,
			"labels": map[string]any{api.LabelName: m.Name, api.LabelComponent: ledgerComponent},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "v1", "kind": "Secret", "name": rec.secret.Name(), "uid": kube.UID(rec.secret),
			}},
		},
		"data": data,
	}
	exists := ledger.secret != nil
	if exists {
		metadata := secret["metadata"].(map[string]any)
		metadata["resourceVersion"] = kube.ResourceVersion(ledger.secret)
		_, err = s.client.Update(ctx, secrets(), secret)
		delete(metadata, "resourceVersion")
		exists = !apierrors.IsNotFound(err) // the garbage collector of a deleted record was there
	}
	if !exists {
		_, err = s.client.Create(ctx, secrets(), secret, kube.Real)
	}
	if err == nil || apierrors.IsNotFound(err) {
		return nil // the namespace is gone
	}
	return fmt.Errorf("write the ledger of instance %q: %w", m.Name, err)
}

// same says whether two ledgers say the same.
func (l *Ledger) same(next *Ledger) bool {
	return l.FieldManager == next.FieldManager && maps.Equal(l.Shared, next.Shared) && slices.Equal(l.Abandoned, next.Abandoned) && maps.Equal(l.Fingerprints, next.Fingerprints) && maps.Equal(l.Stages, next.Stages) &&
		slices.EqualFunc(l.History, next.History, func(a, b Revision) bool { return reflect.DeepEqual(a, b) }) &&
		maps.EqualFunc(l.Applied, next.Applied, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

// encode returns the ledger as the data of a Secret. What makes it too large is
// forgotten rather than refused: what was rendered for the oldest revisions, the
// applied values, which only serve people, the oldest revisions, then the
// fingerprints, which only save work.
func (l *Ledger) encode() (map[string]any, error) {
	text, err := pack(l)
	if err != nil {
		return nil, fmt.Errorf("encode the ledger: %w", err)
	}
	size := base64.StdEncoding.DecodedLen(len(text))
	if size > maxLedger {
		less := *l
		switch {
		case l.Applied != nil:
			less.Applied = nil
		case len(l.History) > 0:
			less.History = l.History[1:]
		case l.Fingerprints != nil:
			less.Fingerprints = nil
		default:
			return (&Ledger{FieldManager: l.FieldManager, Shared: l.Shared, Abandoned: l.Abandoned}).encode()
		}
		return less.encode()
	}
	fitting := *l
	var lost bool
	if fitting.History, lost = fitRenderings(l.History, maxLedger-size); lost {
		if text, err = pack(fitting); err != nil { // it says what there was no room for
			return nil, fmt.Errorf("encode the ledger: %w", err)
		}
	}
	data := renderings(fitting.History)
	data[ledgerKey], data[formatKey] = text, encodeFormat(ledgerFormat)
	return data, nil
}

// data returns the data of the Secret that the ledger was read from.
func (l *Ledger) data() map[string]any {
	data, _ := l.secret["data"].(map[string]any)
	return data
}

// decode reads the ledger in a Secret, compressed or as plain JSON.
func (l *Ledger) decode(secret api.Object) error {
	data := (&Ledger{secret: secret}).data()
	encoded, _ := data[ledgerKey].(string)
	text, err := unpack(encoded)
	if err != nil {
		return err
	}
	if err = json.Unmarshal(text, l); err != nil {
		return err
	}
	for i := range l.History {
		l.History[i].rendering, _ = data[renderingKey(l.History[i].Number)].(string)
	}
	return nil
}
