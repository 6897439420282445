// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

func connect(t *testing.T) (*kube.Client, string) {
	t.Helper()
	cp := kit.ForTest(t)
	flags := kubeflag.NewFlags()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(fs)
	err := fs.Parse([]string{"--kubeconfig", cp.Kubeconfig, "--cache-dir", filepath.Join(t.TempDir(), "cache")})
	if err != nil {
		t.Fatal(err)
	}
	client, err := flags.Connect("test", event.Discard())
	if err != nil {
		t.Fatal(err)
	}
	return client, cp.Namespace(t)
}

func instance(ns, version string, ids ...string) api.Instance {
	i := api.Instance{
		Kind: api.KindInstance, APIVersion: api.APIVersion,
		Metadata: api.Metadata{Name: "app", Namespace: ns},
		Module:   api.Module{Name: "timoni.sh/m", Repository: "oci://r/m", Version: version, Digest: "sha256:00"},
		Values:   "{\n\ta: 1\n}", LastTransitionTime: "2026-11-20T10:24:09Z",
		Inventory: api.Inventory{Entries: []api.Entry{}},
	}
	for _, id := range ids {
		i.Inventory.Entries = append(i.Inventory.Entries, api.Entry{ID: id, Version: "v1"})
	}
	return i
}

func secrets() kube.Resource {
	return kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, Namespaced: true}
}

// keys returns the data of the record's Secret, decoded.
func keys(t *testing.T, client *kube.Client, ns string) map[string]string {
	t.Helper()
	secret, err := client.Get(t.Context(), secrets(), ns, "timoni.app")
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[string]string{}
	for k, v := range secret["data"].(map[string]any) {
		text, err := base64.StdEncoding.DecodeString(v.(string))
		if err != nil {
			t.Fatal(err)
		}
		decoded[k] = string(text)
	}
	return decoded
}

func encode(t *testing.T, i api.Instance) string {
	t.Helper()
	text, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLife holds what other tools read at each moment of an instance's life.
func TestLife(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	if _, err := s.Get(t.Context(), ns, "app"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("before: %v", err)
	}

	one := instance(ns, "1.0.0", "ns_a__ConfigMap")
	rec, err := s.Begin(t.Context(), nil, one, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := func(when string, want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(want, keys(t, client, ns)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	const begun = "2026-11-20T10:24:09Z"
	want("first install", map[string]string{"format": "2", "instance": encode(t, one), "begun": begun})

	two := instance(ns, "2.0.0", "ns_b__ConfigMap")
	if rec, err = s.Begin(t.Context(), rec, two, nil); err != nil {
		t.Fatal(err)
	}
	pending := two
	pending.Values = ""
	want("upgrade begun", map[string]string{"format": "2", "instance": encode(t, one), "begun": begun, "pending": encode(t, pending)})

	// Another upgrade after one that did not end knows the objects of both.
	rec, err = s.Begin(t.Context(), rec, instance(ns, "3.0.0", "ns_c__ConfigMap"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range rec.Inventory() {
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff([]string{"ns_a__ConfigMap", "ns_c__ConfigMap", "ns_b__ConfigMap"}, ids); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}

	if rec, err = s.MarkDeleting(t.Context(), rec); err != nil || !rec.Deleting {
		t.Fatalf("deleting: %+v, %v", rec, err)
	}
	three := instance(ns, "3.0.0", "ns_c__ConfigMap")
	if rec, err = s.Finish(t.Context(), rec, three); err != nil {
		t.Fatal(err)
	}
	want("finished", map[string]string{"format": "2", "instance": encode(t, three)})
	if got, err := s.Get(t.Context(), ns, "app"); err != nil || got.Deleting || got.Pending != nil {
		t.Errorf("after an apply: %+v, %v", got, err)
	}
	if err := s.Remove(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), rec); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

// TestUnfinished holds that a run which was killed is never taken for one that
// has ended, nor its revision for one that was applied in full: not that of a
// first install, not after an upgrade that was killed too, not before a delete.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	type state struct{ Unfinished, Failed, Complete bool }
	check := func(when string, want state) *store.Record {
		t.Helper()
		rec, err := s.Get(t.Context(), ns, "app")
		if err != nil {
			t.Fatal(err)
		}
		if got := (state{rec.IsUnfinished(), rec.HasFailed(), rec.IsComplete()}); got != want {
			t.Errorf("%s: got %+v, want %+v", when, got, want)
		}
		return rec
	}
	must := func(rec *store.Record, err error) *store.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	at := func(version, clock string) api.Instance {
		i := instance(ns, version)
		i.LastTransitionTime = "2026-11-20T" + clock + "Z"
		return i
	}
	must(s.Begin(t.Context(), nil, at("1.0.0", "10:00:00"), nil))
	rec := check("first install killed", state{Unfinished: true})
	must(s.Begin(t.Context(), rec, at("2.0.0", "10:01:00"), nil))
	rec = check("and the upgrade too", state{Unfinished: true})
	must(s.MarkDeleting(t.Context(), rec))
	rec = check("and the delete too", state{Unfinished: true})
	rec = must(s.Begin(t.Context(), rec, at("3.0.0", "10:02:00"), nil))
	must(s.MarkFailed(t.Context(), rec))
	rec = check("an upgrade that failed", state{Unfinished: true, Failed: true})
	must(s.Finish(t.Context(), rec, at("3.0.0", "10:03:00")))
	rec = check("finished", state{Complete: true})
	must(s.Begin(t.Context(), rec, at("4.0.0", "10:04:00"), nil))
	rec = check("an upgrade killed", state{Unfinished: true, Complete: true})
	rec = must(s.Finish(t.Context(), rec, revision(ns, 900<<10, 0, 3)))
	must(s.Begin(t.Context(), rec, revision(ns, 10, 0, 8000), nil))
	rec = check("one that is recorded up front", state{Unfinished: true})
	now, err := time.Parse(time.RFC3339, rec.Wanted().LastTransitionTime)
	if err != nil || rec.TimeAfter(now) == rec.Wanted().LastTransitionTime {
		t.Errorf("two revisions of one second have the same time: %v", err)
	}
}

// TestConcurrentWrite holds that of two runs one is told to stop.
func TestConcurrentWrite(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	rec, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0"), nil); err == nil || len(hintsOf(err)) == 0 {
		t.Errorf("a second install: %v", err)
	}
	if _, err := s.Finish(t.Context(), rec, instance(ns, "1.0.1")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), rec, instance(ns, "2.0.0"), nil); err == nil || len(hintsOf(err)) == 0 {
		t.Errorf("a write over a newer record: %v", err)
	}
}

// TestListForeign holds that records of the reference tool are read, and that a
// bad one is named and hides no other (S13).
func TestListForeign(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	for name, data := range map[string]map[string]any{
		"good": {"instance": base64.StdEncoding.EncodeToString([]byte(`{"kind":"Instance","apiVersion":"timoni.sh/v1alpha1",` +
			`"metadata":{"name":"good","namespace":"` + ns + `","labels":{"bundle.timoni.sh/name":"b"}},"module":{"name":"timoni.sh/m",` +
			`"repository":"oci://r/m","version":"1.2.4","digest":"sha256:00","annotations":{"a":"b"}},"values":"{}",` +
			`"lastTransitionTime":"2026-11-20T10:24:09Z","inventory":{"entries":[{"id":"x_y__ConfigMap","v":"v1"}]},"future":{"x":1}}`))},
		"badjson": {"instance": base64.StdEncoding.EncodeToString([]byte(`{"values":"secret`))},
		"empty":   {"instance": base64.StdEncoding.EncodeToString([]byte(`{}`))},
		"pending": {"pending": base64.StdEncoding.EncodeToString([]byte(`{}`))},
	} {
		_, err := client.Create(t.Context(), secrets(), api.Object{
			"apiVersion": "v1", "kind": "Secret", "type": "timoni.sh/instance", "data": data,
			"metadata": map[string]any{"name": "timoni." + name, "namespace": ns, "labels": map[string]any{
				"app.kubernetes.io/name": name, "app.kubernetes.io/component": "instance", "app.kubernetes.io/created-by": "timoni",
				"bundle.timoni.sh/name": "b",
			}},
		}, kube.Real)
		if err != nil {
			t.Fatal(err)
		}
	}
	records, err := store.New(client).List(t.Context(), ns, "")
	if len(records) != 1 || records[0].Instance.Metadata.Name != "good" || records[0].Labels()[api.LabelBundle] != "b" {
		t.Errorf("records %+v", records)
	}
	for _, want := range []string{
		ns + `/timoni.badjson: data key "instance" is not JSON`,
		ns + "/timoni.empty: it names no instance",
		ns + `/timoni.pending: it has no data key "instance"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error quotes what is in the record: %v", err)
	}
}
