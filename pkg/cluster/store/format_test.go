// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// recordText is a record as docs/interop.md, section 3, shows it.
const recordText = `{"kind":"Instance","apiVersion":"timoni.sh/v1alpha1","metadata":{"name":"app","namespace":"NS"},` +
	`"module":{"name":"timoni.sh/minimal","repository":"oci://reg/minimal","version":"1.2.4","digest":"sha256:00","annotations":{"a":"b"}},` +
	`"values":"{\n\tmessage: \"Hello World\"\n}","lastTransitionTime":"2026-11-20T10:24:09Z",` +
	`"inventory":{"entries":[{"id":"NS_app__ServiceAccount","v":"v1"},{"id":"NS_app_apps_Deployment","v":"v1"}]},` +
	`"images":["docker.io/nginx:1.29@sha256:00"]}`

// TestFormat holds that what is written is the format that Timoni reads, byte
// for byte: a record of it is read and written again.
func TestFormat(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	text := strings.ReplaceAll(recordText, "NS", ns)
	var app api.Instance
	if err := json.Unmarshal([]byte(text), &app); err != nil {
		t.Fatal(err)
	}
	rec, err := s.Begin(t.Context(), nil, app, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (data map[string]string, o api.Object) {
		o, err := client.Get(t.Context(), secrets(), ns, "timoni.app")
		if err != nil {
			t.Fatal(err)
		}
		data = map[string]string{}
		for key, value := range o["data"].(map[string]any) {
			decoded, err := base64.StdEncoding.DecodeString(value.(string))
			if err != nil {
				t.Fatal(err)
			}
			data[key] = string(decoded)
		}
		return data, o
	}
	data, secret := read()
	if diff := cmp.Diff(map[string]string{"format": "2", "instance": text, "begun": "2026-11-20T10:24:09Z"}, data); diff != "" {
		t.Errorf("first install (-want +got):\n%s", diff)
	}
	metadata := secret["metadata"].(map[string]any)
	want := map[string]any{
		"app.kubernetes.io/name": "app", "app.kubernetes.io/component": "instance", "app.kubernetes.io/created-by": "timoni",
	}
	if diff := cmp.Diff(want, metadata["labels"]); diff != "" || secret["type"] != "timoni.sh/instance" || metadata["annotations"] != nil {
		t.Errorf("type %v, annotations %v, labels (-want +got):\n%s", secret["type"], metadata["annotations"], diff)
	}

	next := app
	next.Module.Version = "1.3.0"
	next.Inventory.Entries = append(slices.Clone(app.Inventory.Entries), api.Entry{ID: ns + "_new__ConfigMap", Version: "v1"})
	if rec, err = s.Begin(t.Context(), rec, next, nil); err != nil {
		t.Fatal(err)
	}
	data, _ = read()
	pending := strings.ReplaceAll(`{"kind":"Instance","apiVersion":"timoni.sh/v1alpha1","metadata":{"name":"app","namespace":"NS"},`+
		`"module":{"name":"timoni.sh/minimal","repository":"oci://reg/minimal","version":"1.3.0","digest":"sha256:00"},`+
		`"lastTransitionTime":"2026-11-20T10:24:09Z","inventory":{"entries":[{"id":"NS_new__ConfigMap","v":"v1"}]}}`, "NS", ns)
	if diff := cmp.Diff(map[string]string{"format": "2", "instance": text, "begun": "2026-11-20T10:24:09Z", "pending": pending}, data); diff != "" {
		t.Errorf("upgrade (-want +got):\n%s", diff)
	}

	if _, err = s.MarkDeleting(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	_, secret = read()
	if _, err := time.Parse(time.RFC3339, secret.Annotation("status.timoni.sh/deleting")); err != nil {
		t.Errorf("the mark of a delete: %v", err)
	}
}

// TestLedgerIsBounded holds that a ledger that is too large for a Secret
// forgets what serves people first, and never fails.
func TestLedgerIsBounded(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	rec, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 900<<10) // does not compress
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(noise)
	if err != nil {
		t.Fatal(err)
	}
	small := store.Revision{Number: 1, Values: "{}", Outcome: store.Succeeded}
	large := store.Revision{Number: 2, Values: string(text), Outcome: store.Succeeded}
	for name, tc := range map[string]struct {
		next store.Ledger
		want store.Ledger
	}{
		"what was applied goes first": {
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, Applied: map[string]json.RawMessage{"a": text}, History: []store.Revision{small}},
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, History: []store.Revision{small}},
		},
		"then revisions, the oldest first": {
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, History: []store.Revision{large, small}},
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, History: []store.Revision{small}},
		},
		"what fits is kept": {
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, Applied: map[string]json.RawMessage{"a": []byte(`{"f:a":"<"}`)}},
			store.Ledger{Fingerprints: map[string]string{"a": "x"}, Applied: map[string]json.RawMessage{"a": []byte("{\"f:a\":\"\\u003c\"}")}},
		},
	} {
		before, err := s.Ledger(t.Context(), ns, "app")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SaveLedger(t.Context(), rec, before, &tc.next); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := s.Ledger(t.Context(), ns, "app")
		if err != nil {
			t.Fatal(err)
		}
		version := ledgerVersion(t, client, ns)
		if err := s.SaveLedger(t.Context(), rec, got, &tc.next); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ledgerVersion(t, client, ns) != version {
			t.Errorf("%s: the same is written again", name)
		}
		got = &store.Ledger{Fingerprints: got.Fingerprints, Applied: got.Applied, History: got.History}
		if diff := cmp.Diff(&tc.want, got, cmp.AllowUnexported(store.Ledger{}, store.Revision{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLedgerOfAnother holds that the ledger of a deleted record, which its
// garbage collector comes to sooner or later, is not taken for that of the next
// record, and that the next one's is kept whether or not it came in between.
func TestLedgerOfAnother(t *testing.T) {
	t.Parallel()
	for name, collected := range map[string]bool{"in time": true, "late": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, ns := connect(t)
			s := store.New(client)
			first, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil)
			if err != nil {
				t.Fatal(err)
			}
			remember(t, s, first, &store.Ledger{}, 1)
			if err = s.Remove(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			old, err := s.Ledger(t.Context(), ns, "app")
			if err != nil {
				t.Fatal(err)
			}
			if collected {
				live, gone := client.Get(t.Context(), secrets(), ns, "timoni-ledger.app")
				if gone == nil {
					gone = client.Delete(t.Context(), secrets(), live)
				}
				if gone != nil && !apierrors.IsNotFound(gone) {
					t.Fatal(gone)
				}
			}
			second, err := s.Begin(t.Context(), nil, instance(ns, "2.0.0"), nil)
			if err != nil {
				t.Fatal(err)
			}
			remember(t, s, second, old.Of(nil), 2)
			got, err := s.Ledger(t.Context(), ns, "app")
			if err != nil {
				t.Fatal(err)
			}
			if history := got.Of(second).History; len(history) != 1 || history[0].Number != 2 {
				t.Errorf("the history is %v", history)
			}
			if history := got.Of(first).History; len(history) != 0 {
				t.Errorf("the first record has the history %v", history)
			}
		})
	}
}

// TestLedgerOfTwoRuns holds that a run which has read a ledger that another one
// has written since takes no revision away, nor a kind that may have orphans.
func TestLedgerOfTwoRuns(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	rec, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	remember(t, s, rec, &store.Ledger{}, 1)
	before, err := s.Ledger(t.Context(), ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	abandoned := store.ListKey{Version: "v1", Kind: "Pod", Namespace: ns}
	for _, run := range []store.Ledger{
		{History: append(slices.Clone(before.History), store.Revision{Number: 2, User: "first"}), Abandoned: []store.ListKey{abandoned}},
		{History: append(slices.Clone(before.History), store.Revision{Number: 2, User: "second"}), Fingerprints: map[string]string{"a": "x"}},
	} {
		if err = s.SaveLedger(t.Context(), rec, before, &run); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Ledger(t.Context(), ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	got = &store.Ledger{Fingerprints: got.Fingerprints, Abandoned: got.Abandoned, History: got.History}
	want := &store.Ledger{
		Fingerprints: map[string]string{"a": "x"}, Abandoned: []store.ListKey{abandoned},
		History: []store.Revision{{Number: 1}, {Number: 2, User: "first"}, {Number: 3, User: "second"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(store.Ledger{}, store.Revision{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// remember saves a ledger with one revision more.
func remember(t *testing.T, s store.Store, rec *store.Record, before *store.Ledger, number int) {
	t.Helper()
	next := &store.Ledger{History: append(slices.Clone(before.History), store.Revision{Number: number})}
	if err := s.SaveLedger(t.Context(), rec, before, next); err != nil {
		t.Fatal(err)
	}
}

func ledgerVersion(t *testing.T, client *kube.Client, ns string) string {
	t.Helper()
	o, err := client.Get(t.Context(), secrets(), ns, "timoni-ledger.app")
	if err != nil {
		t.Fatal(err)
	}
	return kube.ResourceVersion(o)
}
