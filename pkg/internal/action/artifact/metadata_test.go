// SPDX-License-Identifier: Apache-2.0

package artifact_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

func TestWithoutCredentials(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://example.com/a.git":          "https://example.com/a.git",
		"https://me:secret@example.com/a":    "https://example.com/a",
		"https://token@example.com/a":        "https://example.com/a",
		"git@example.com:org/a.git":          "git@example.com:org/a.git",
		"ssh://git@example.com/org/a.git":    "ssh://git@example.com/org/a.git",
		"ssh://git:secret@example.com/a.git": "ssh://git:xxxxx@example.com/a.git",
	} {
		if got := artifact.WithoutCredentials(in); got != want {
			t.Errorf("withoutCredentials(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIsRemote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"https://example.com/a.git": true, "ssh://git@example.com/a": true, "git@example.com:org/a.git": true, "host:a": true,
		"": false, "/srv/git/a": false, "../a": false, "./a:b": false, `C:\a`: false, "file:///srv/a": false,
	} {
		if got := artifact.IsRemote(in); got != want {
			t.Errorf("isRemote(%q) = %t, want %t", in, got, want)
		}
	}
}

// TestMetadata shows what wins, in a directory that is in no git repository.
func TestMetadata(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		m    artifact.Metadata
		want map[string]string
	}{
		"nothing":  {artifact.Metadata{}, map[string]string{}},
		"a date":   {artifact.Metadata{SourceDateEpoch: "1"}, map[string]string{archive.AnnotationCreated: "1970-01-01T00:00:01Z"}},
		"explicit": {artifact.Metadata{SourceDateEpoch: "1", Annotations: map[string]string{archive.AnnotationCreated: "now"}}, map[string]string{archive.AnnotationCreated: "now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := artifact.AnnotationsOf(t.Context(), test.m, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := artifact.AnnotationsOf(t.Context(), artifact.Metadata{SourceDateEpoch: "soon"}, t.TempDir()); fail.CodeOf(err) != fail.Usage {
		t.Errorf("a date that is none gives %v", err)
	}
}
