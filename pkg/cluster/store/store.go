// SPDX-License-Identifier: Apache-2.0

// Package store keeps the instance record: the Secret that says what an
// instance is made of. Its format is shared with Timoni (docs/interop.md, section
// 3), so that either tool manages what the other applied.
package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// ErrNotFound means that no instance of that name is installed.
var ErrNotFound = errors.New("not found")

// begunKey is the data key of the record for begun of Record.
const begunKey = "begun"

// Record is an instance as the cluster has it.
type Record struct {
	Instance api.Instance  // the last revision that was applied in full, or the first one
	Pending  *api.Instance // what an unfinished upgrade wanted, nil when there is none
	Deleting bool          // a delete has begun and not ended

	// Stages say, by inventory id, in which stage an unfinished run applies an
	// object, counted from 1. See StagesWith.
	Stages map[string]int

	// begun is the time of the revision that Instance holds although no run has
	// applied it in full. Another tool that writes Instance leaves it behind.
	begun  string
	secret api.Object
}

// Inventory returns what may exist in the cluster because of this instance:
// the entries of the applied and of the pending revision.
func (r *Record) Inventory() []api.Entry {
	if r == nil {
		return nil
	}
	entries := slices.Clone(r.Instance.Inventory.Entries)
	if r.Pending != nil {
		entries = append(entries, r.Pending.Inventory.Entries...)
	}
	return unique(entries)
}

// Same says whether two records, either of which may be nil, are the same
// version of the same record.
func (r *Record) Same(other *Record) bool {
	if r == nil || other == nil {
		return r == other
	}
	return kube.UID(r.secret) == kube.UID(other.secret) && kube.ResourceVersion(r.secret) == kube.ResourceVersion(other.secret)
}

// Wanted returns the revision that the last run wanted.
func (r *Record) Wanted() api.Instance {
	if r.Pending != nil {
		return *r.Pending
	}
	return r.Instance
}

// IsUnfinished says whether a run has begun of which the record does not say
// that it ended.
func (r *Record) IsUnfinished() bool { return r.Pending != nil || r.isBegun() }

// isBegun says whether Instance is a revision that was recorded up front and has
// not been completed since.
func (r *Record) isBegun() bool { return r.begun != "" && r.begun == r.Instance.LastTransitionTime }

// HasFailed says whether the last run has ended, and failed.
func (r *Record) HasFailed() bool { return r.failed(r.Wanted()) }

// IsComplete says whether Instance was applied in full.
func (r *Record) IsComplete() bool { return !r.failed(r.Instance) && !r.isBegun() }

// failed says whether the record is marked with a revision. A mark that names
// another one is older than the record: another tool has written that since.
func (r *Record) failed(i api.Instance) bool {
	return slices.Contains(strings.Fields(r.secret.Annotation(api.AnnotationFailed)), i.LastTransitionTime)
}

// TimeAfter returns the time, now or a moment later, of a revision that follows
// the record, which may be nil. Its marks tell revisions apart by their times,
// in seconds, and a run may take less than one.
func (r *Record) TimeAfter(now time.Time) string {
	for {
		text := now.UTC().Format(time.RFC3339)
		if r == nil || text != r.Instance.LastTransitionTime && text != r.Wanted().LastTransitionTime {
			return text
		}
		now = now.Add(time.Second)
	}
}

// Labels returns the labels of the record's Secret.
func (r *Record) Labels() map[string]any {
	metadata, _ := r.secret["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	return labels
}

// Store reads and writes records of one cluster.
type Store struct {
	client *kube.Client
	bundle Bundle // that Begin records
}

// New returns a Store over a client.
func New(client *kube.Client) Store { return Store{client: client} }

func secrets() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"},
		Kind:                 "Secret", Namespaced: true,
	}
}

// Get returns the record of an instance; ErrNotFound when there is none.
func (s Store) Get(ctx context.Context, namespace, name string) (*Record, error) {
	secret, err := s.client.Get(ctx, secrets(), namespace, api.RecordPrefix+name)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("instance %q in namespace %q: %w", name, namespace, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of instance %q in namespace %q: %w", name, namespace, err)
	}
	return decode(secret)
}

// records selects the records among the Secrets.
func records() kube.Selector {
	return kube.Selector{Labels: api.LabelComponent + "=" + api.RecordComponent + "," + api.LabelCreatedBy + "=" + api.CreatedBy}
}

// List returns the records of a namespace, or of all when it is empty, sorted
// by namespace and name; with a label selector, those of them that it selects.
// A record that cannot be read does not hide the others: it is left out and
// named in the error, which joins one per record.
func (s Store) List(ctx context.Context, namespace, labels string) ([]*Record, error) {
	selector := records()
	if labels != "" {
		selector.Labels += "," + labels
	}
	list, _, err := s.client.List(ctx, secrets(), namespace, selector)
	if err != nil {
		return nil, fmt.Errorf("list the instance records: %w", err)
	}
	var records []*Record
	var bad []error
	for _, secret := range list {
		record, err := decode(secret)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		records = append(records, record)
	}
	slices.SortFunc(records, func(a, b *Record) int {
		return strings.Compare(a.Instance.Metadata.Namespace+"/"+a.Instance.Metadata.Name,
			b.Instance.Metadata.Namespace+"/"+b.Instance.Metadata.Name)
	})
	return records, errors.Join(bad...)
}

// Begin records the intent to apply a revision before its first object is
// written, so that whatever happens next, a later apply or delete finds every
// object. prev is nil for the first install; stages are those of the objects,
// by inventory id.
func (s Store) Begin(ctx context.Context, prev *Record, want api.Instance, stages map[string]int) (*Record, error) {
	if prev == nil {
		next := &Record{Instance: want, begun: want.LastTransitionTime}
		next.Stages = stagesOf(nil, next, stages)
		return s.create(ctx, next)
	}
	next := upgrading(prev, want)
	next.Stages = stagesOf(prev, next, stages)
	owned := *prev
	owned.secret = prev.secret.DeepCopy()
	s.bundle.mark(owned.secret)
	rec, err := s.write(ctx, &owned, next)
	if apierrors.IsNotFound(err) {
		err = &ChangedError{err} // another run has deleted the instance
	}
	return rec, err
}

// CheckCurrent returns a *ChangedError when a record is no longer the one that
// was read.
func (s Store) CheckCurrent(ctx context.Context, rec *Record) error {
	m := rec.Instance.Metadata
	live, err := s.Get(ctx, m.Namespace, m.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if !live.Same(rec) {
		return &ChangedError{fmt.Errorf("the record of instance %q was changed since it was read", m.Name)}
	}
	return nil
}

// Finish records the revision that is now applied in full.
func (s Store) Finish(ctx context.Context, rec *Record, got api.Instance) (*Record, error) {
	return s.write(ctx, rec, &Record{Instance: got})
}

// MarkDeleting records that a delete has begun.
func (s Store) MarkDeleting(ctx context.Context, rec *Record) (*Record, error) {
	if rec.Deleting {
		return rec, nil
	}
	return s.write(ctx, rec, &Record{Instance: rec.Instance, Pending: rec.Pending, Stages: rec.Stages, begun: rec.begun, Deleting: true})
}

// MarkFailed records that the run which began with Begin has ended, and failed.
// Nothing but the mark changes.
func (s Store) MarkFailed(ctx context.Context, rec *Record) (*Record, error) {
	secret := rec.secret.DeepCopy()
	failed := rec.Wanted().LastTransitionTime
	if !rec.IsComplete() {
		failed = rec.Instance.LastTransitionTime + " " + failed
	}
	secret.SetAnnotation(api.AnnotationFailed, failed)
	next := *rec
	var err error
	next.secret, err = s.client.Update(ctx, secrets(), secret)
	return &next, writeError(rec.Instance, err)
}

// Remove deletes the record; it is no error when it is gone already.
func (s Store) Remove(ctx context.Context, rec *Record) error {
	if err := Writable(rec, nil); err != nil {
		return err
	}
	err := s.client.Delete(ctx, secrets(), rec.secret)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the record of instance %q: %w", rec.Instance.Metadata.Name, err)
	}
	return nil
}

// Writable returns why an instance must not be changed: a newer version wrote
// its record or its ledger. Either may be nil.
func Writable(rec *Record, ledger *Ledger) error {
	if rec != nil {
		if err := checkFormat(rec.secret, recordFormat); err != nil {
			return err
		}
	}
	if ledger != nil {
		return checkFormat(ledger.secret, ledgerFormat)
	}
	return nil
}

func (s Store) create(ctx context.Context, rec *Record) (*Record, error) {
	want := rec.Instance
	data, err := encode(rec)
	if err != nil {
		return nil, err
	}
	secret := api.Object{
		"apiVersion": "v1", "kind": "Secret", "type": api.RecordType,
		"metadata": map[string]any{
			"name": api.RecordPrefix + want.Metadata.Name, "namespace": want.Metadata.Namespace,
			"labels": map[string]any{
				api.LabelName: want.Metadata.Name, api.LabelComponent: api.RecordComponent, api.LabelCreatedBy: api.CreatedBy,
			},
		},
		"data": data,
	}
	s.bundle.mark(secret)
	rec.secret, err = s.client.Create(ctx, secrets(), secret, kube.Real)
	return rec, writeError(want, err)
}

// write replaces the record that prev was read from.
func (s Store) write(ctx context.Context, prev, next *Record) (*Record, error) {
	if err := Writable(prev, nil); err != nil {
		return nil, err
	}
	data, err := encode(next)
	if err != nil {
		return nil, err
	}
	secret := prev.secret.DeepCopy()
	secret["data"] = data
	setDeleting(secret, next.Deleting)
	if next.Pending == nil && !next.Deleting {
		secret.RemoveAnnotation(api.AnnotationFailed)
	}
	next.secret, err = s.client.Update(ctx, secrets(), secret)
	return next, writeError(next.Instance, err)
}

func writeError(i api.Instance, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write the record of instance %q: %w", i.Metadata.Name, err)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return &ChangedError{err}
	}
	return err
}

func setDeleting(secret api.Object, deleting bool) {
	metadata := secret["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if !deleting {
		delete(annotations, api.AnnotationDeleting)
		return
	}
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[api.AnnotationDeleting] = time.Now().UTC().Format(time.RFC3339)
}

func encode(r *Record) (map[string]any, error) {
	data := map[string]any{formatKey: encodeFormat(recordFormat)}
	set := func(key string, i api.Instance) error {
		text, err := json.Marshal(i)
		if err != nil {
			return fmt.Errorf("encode the record of instance %q: %w", i.Metadata.Name, err)
		}
		data[key] = base64.StdEncoding.EncodeToString(text)
		return nil
	}
	if err := set(api.RecordKey, r.Instance); err != nil {
		return nil, err
	}
	if r.begun != "" {
		data[begunKey] = base64.StdEncoding.EncodeToString([]byte(r.begun))
	}
	if len(r.Stages) > 0 {
		text, err := pack(r.Stages)
		if err != nil {
			return nil, err
		}
		data[stagesKey] = text
	}
	if r.Pending == nil {
		return data, nil
	}
	return data, set(api.PendingKey, *r.Pending)
}

func decode(secret api.Object) (*Record, error) {
	rec := &Record{secret: secret, Deleting: secret.Annotation(api.AnnotationDeleting) != ""}
	err := rec.decode()
	if err == nil {
		return rec, nil
	}
	if newer := checkFormat(secret, recordFormat); newer != nil {
		return nil, newer
	}
	return nil, &UnreadableError{Namespace: secret.Namespace(), Name: secret.Name(), Err: err}
}

// UnreadableError says that the Secret of a record cannot be read.
type UnreadableError struct {
	Namespace, Name string // of the Secret
	Err             error
}

// Error names the Secret and says why.
func (e *UnreadableError) Error() string {
	return fmt.Sprintf("record %s/%s: %v", e.Namespace, e.Name, e.Err)
}

// Unwrap returns why.
func (e *UnreadableError) Unwrap() error { return e.Err }

// Unreadable returns the records among the errors of List that cannot be read,
// and the other errors, joined.
func Unreadable(err error) (bad []*UnreadableError, other error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var rest []error
	for _, one := range all {
		if record, ok := errors.AsType[*UnreadableError](one); ok {
			bad = append(bad, record)
		} else {
			rest = append(rest, one)
		}
	}
	return bad, errors.Join(rest...)
}

// Instance returns the instance that the record is of.
func (e *UnreadableError) Instance() api.Metadata {
	return api.Metadata{Name: strings.TrimPrefix(e.Name, api.RecordPrefix), Namespace: e.Namespace}
}

func (r *Record) decode() error {
	data, _ := r.secret["data"].(map[string]any)
	r.Stages = decodeStages(data)
	r.begun, _ = dataText(r.secret, begunKey)
	found, err := decodeKey(data, api.RecordKey, &r.Instance)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("it has no data key %q", api.RecordKey)
	}
	if r.Instance.Metadata.Name == "" {
		return errors.New("it names no instance")
	}
	var pending api.Instance
	if found, err = decodeKey(data, api.PendingKey, &pending); found {
		r.Pending = &pending
	}
	return err
}

func decodeKey(data map[string]any, key string, into *api.Instance) (bool, error) {
	encoded, ok := data[key].(string)
	if !ok {
		return false, nil
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false, fmt.Errorf("data key %q is not base64: %w", key, err)
	}
	// The decoder's error can quote what it could not read, and the values may
	// hold secrets: only the place is told.
	if err := json.Unmarshal(text, into); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return false, fmt.Errorf("data key %q is not JSON at byte %d", key, syntax.Offset)
		}
		return false, fmt.Errorf("data key %q is not an instance", key)
	}
	return true, nil
}

func unique(entries []api.Entry) []api.Entry {
	seen := map[string]bool{}
	return slices.DeleteFunc(entries, func(e api.Entry) bool {
		old := seen[e.ID]
		seen[e.ID] = true
		return old
	})
}
