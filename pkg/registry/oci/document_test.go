// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestDocuments pushes documents with an artifact and reads them, from
// registries with and without the referrers API.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api    bool
		attach oci.Attach
		want   []string
	}{
		"the registry lists them":            {true, oci.AttachAuto, []string{"one"}},
		"by default":                         {true, "", []string{"one"}},
		"never":                              {true, oci.AttachNever, nil},
		"the registry does not":              {false, oci.AttachAuto, nil},
		"a tag leads to them":                {false, oci.AttachAlways, []string{"one"}},
		"always, and the registry lists too": {true, oci.AttachAlways, []string{"one"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := fixture.Serve(t, fixture.NewRegistry(registry.WithReferrersSupport(test.api)))
			r := fixture.Reference(t, "oci://"+host+"/app:1.0.0")
			image := fixture.Must(archive.PackModule(fixture.Dir(t, fixture.SampleModule()), "1.0.0", archive.PackOptions{}))(t)
			along := oci.Companions{Attach: test.attach, Documents: []oci.Document{
				{MediaType: "application/one+json", Data: []byte("one")},
				{MediaType: "application/two+json", Data: []byte("two")},
			}}
			pushed := fixture.Must(oci.PushWith(t.Context(), image, along, r, []string{"1.0.0"}, false, oci.Options{}))(t)
			again := fixture.Must(oci.PushWith(t.Context(), image, along, r, []string{"1.0.0"}, false, oci.Options{}))(t)
			if len(pushed.Documents) != 2*len(test.want) || len(again.Documents) != 0 || !again.Unchanged {
				t.Errorf("pushed %+v, then %+v", pushed, again)
			}

			o := oci.Options{Cache: cache.Cache{Dir: t.TempDir()}}
			for range 2 {
				m, documents, err := oci.Documents(t.Context(), r, []string{"application/one+json"}, o)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, d := range documents {
					got = append(got, string(d.Data))
					if d.Digest != pushed.Documents[0].Digest {
						t.Errorf("read %s, want %s", d.Digest, pushed.Documents[0].Digest)
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" || m.Digest != pushed.Digest {
					t.Errorf("documents of %s (-want +got):\n%s", m.Digest, diff)
				}
				// The second time from the cache alone.
				o.Offline = true
				r = ref.Reference{Repository: r.Repository, Digest: pushed.Digest}
			}
		})
	}
}
