// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

func TestEntry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		id    api.ID
		entry string
	}{
		"core":          {api.ID{Kind: "ServiceAccount", Namespace: "apps", Name: "app"}, "apps_app__ServiceAccount"},
		"group":         {api.ID{Group: "apps", Kind: "Deployment", Namespace: "apps", Name: "app"}, "apps_app_apps_Deployment"},
		"cluster":       {api.ID{Kind: "Namespace", Name: "apps"}, "_apps__Namespace"},
		"colon in name": {api.ID{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "system:app:edit"}, "_system__app__edit_rbac.authorization.k8s.io_ClusterRole"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entry := tc.id.Entry("v1")
			if diff := cmp.Diff(api.Entry{ID: tc.entry, Version: "v1"}, entry); diff != "" {
				t.Errorf("Entry (-want +got):\n%s", diff)
			}
			got, err := entry.Parse()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.id, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntryParseErrors(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a", "a_b_c", "a___Kind", "ns_name__"} {
		if got, err := (api.Entry{ID: id}).Parse(); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", id, got)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	o := api.Object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}}
	c := o.DeepCopy()
	c.SetNamespace("apps")
	c.SetLabel(api.LabelInstanceName, "app")
	if o.Namespace() != "" || o.Label(api.LabelInstanceName) != "" {
		t.Errorf("the copy shares the original's metadata: %v", o)
	}
	if got, want := c.ID().String(), "Deployment.apps/apps/web"; got != want {
		t.Errorf("ID = %q, want %q", got, want)
	}
	if c.Group() != "apps" || c.Version() != "v1" || c.Label(api.LabelInstanceName) != "app" {
		t.Errorf("group %q, version %q, labels of %v", c.Group(), c.Version(), c)
	}
	empty := api.Object{}
	if empty.Name() != "" || empty.Annotation("x") != "" || empty.Version() != "" {
		t.Errorf("an empty object has values: %v", empty)
	}
}

// TestInstanceFormat pins the bytes of a record: other tools read them.
func TestInstanceFormat(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(api.Instance{
		Kind: api.KindInstance, APIVersion: api.APIVersion,
		Metadata: api.Metadata{Name: "app", Namespace: "apps"},
		Module:   api.Module{Name: "timoni.sh/minimal", Repository: "oci://reg/minimal", Version: "1.2.4", Digest: "sha256:00"},
		Values:   "{\n\tmessage: \"Hello World\"\n}", LastTransitionTime: "2026-11-20T10:24:09Z",
		Inventory: api.Inventory{Entries: []api.Entry{{ID: "apps_app__ServiceAccount", Version: "v1"}}},
		Images:    []string{"docker.io/nginx:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"Instance","apiVersion":"timoni.sh/v1alpha1","metadata":{"name":"app","namespace":"apps"},` +
		`"module":{"name":"timoni.sh/minimal","repository":"oci://reg/minimal","version":"1.2.4","digest":"sha256:00"},` +
		`"values":"{\n\tmessage: \"Hello World\"\n}","lastTransitionTime":"2026-11-20T10:24:09Z",` +
		`"inventory":{"entries":[{"id":"apps_app__ServiceAccount","v":"v1"}]},"images":["docker.io/nginx:1"]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

// FuzzEntry holds that what parses prints as it was, so that no object is lost
// or confused on the way through a record.
func FuzzEntry(f *testing.F) {
	f.Add("apps_app_apps_Deployment")
	f.Add("_a__b_g_K")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := api.Entry{ID: s}.Parse()
		if err != nil || strings.Contains(s, ":") {
			return
		}
		if got := id.Entry("").ID; got != s {
			t.Errorf("%q parses to %+v, which prints as %q", s, id, got)
		}
	})
}
