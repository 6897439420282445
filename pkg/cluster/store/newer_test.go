// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// setData writes one data key of a Secret; an empty text removes the key.
func setData(t *testing.T, client *kube.Client, ns, name, key, text string) {
	t.Helper()
	secret, err := client.Get(t.Context(), secrets(), ns, name)
	if err != nil {
		t.Fatal(err)
	}
	data := secret["data"].(map[string]any)
	data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	if text == "" {
		delete(data, key)
	}
	if _, err = client.Update(t.Context(), secrets(), secret); err != nil {
		t.Fatal(err)
	}
}

// TestNewerFormat holds that what a newer version wrote is read, and never
// written.
func TestNewerFormat(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	one := instance(ns, "1.0.0", "ns_a__ConfigMap")
	rec, err := s.Begin(t.Context(), nil, one, nil)
	if err != nil {
		t.Fatal(err)
	}
	remember(t, s, rec, &store.Ledger{}, 1)
	for _, format := range []string{"3", "0", "-1", "two", "99999999999999999999"} {
		setData(t, client, ns, "timoni.app", "format", format)
		setData(t, client, ns, "timoni-ledger.app", "format", format)
		before := []api.Object{secretOf(t, client, ns, "timoni.app"), secretOf(t, client, ns, "timoni-ledger.app")}
		if rec, err = s.Get(t.Context(), ns, "app"); err != nil || rec.Instance.Module.Version != "1.0.0" {
			t.Fatalf("format %s: %+v, %v", format, rec, err)
		}
		ledger, err := s.Ledger(t.Context(), ns, "app")
		if err != nil || len(ledger.History) != 1 {
			t.Fatalf("format %s: %+v, %v", format, ledger, err)
		}
		_, begin := s.Begin(t.Context(), rec, one, nil)
		_, finish := s.Finish(t.Context(), rec, one)
		_, mark := s.MarkDeleting(t.Context(), rec)
		for what, err := range map[string]error{
			"check":       store.Check(rec, nil, one),
			"check both":  store.Check(nil, ledger, one),
			"begin":       begin,
			"finish":      finish,
			"delete":      mark,
			"remove":      s.Remove(t.Context(), rec),
			"save ledger": s.SaveLedger(t.Context(), rec, ledger, &store.Ledger{}),
		} {
			if codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "a newer version wrote it") || len(hintsOf(err)) != 1 {
				t.Errorf("format %s, %s: %v", format, what, err)
			}
		}
		after := []api.Object{secretOf(t, client, ns, "timoni.app"), secretOf(t, client, ns, "timoni-ledger.app")}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("format %s: written (-before +after):\n%s", format, diff)
		}
	}
	setData(t, client, ns, "timoni.app", "instance", "what a newer version makes of it")
	if _, err = s.Get(t.Context(), ns, "app"); codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "a newer version wrote it") {
		t.Errorf("a record of another form: %v", err)
	}
}

// TestFormerForms holds that records and ledgers without a format are read, a
// ledger that is not compressed too.
func TestFormerForms(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	rec, err := s.Begin(t.Context(), nil, instance(ns, "1.0.0", "ns_a__ConfigMap"), nil)
	if err != nil {
		t.Fatal(err)
	}
	remember(t, s, rec, &store.Ledger{}, 7)
	full := instance(ns, "2.0.0", "ns_a__ConfigMap", "ns_b__ConfigMap")
	setData(t, client, ns, "timoni.app", "format", "")
	setData(t, client, ns, "timoni.app", "pending", encode(t, full))
	setData(t, client, ns, "timoni-ledger.app", "format", "")
	setData(t, client, ns, "timoni-ledger.app", "ledger", `{"history":[{"revision":8}]}`)
	if rec, err = s.Get(t.Context(), ns, "app"); err != nil || len(rec.Inventory()) != 2 || rec.Pending.Values != full.Values {
		t.Fatalf("record %+v, %v", rec, err)
	}
	ledger, err := s.Ledger(t.Context(), ns, "app")
	if err != nil || len(ledger.History) != 1 || ledger.History[0].Number != 8 {
		t.Fatalf("ledger %+v, %v", ledger, err)
	}
	if err = store.Check(rec, ledger, full); err != nil {
		t.Error(err)
	}
}

func secretOf(t *testing.T, client *kube.Client, ns, name string) api.Object {
	t.Helper()
	secret, err := client.Get(t.Context(), secrets(), ns, name)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
