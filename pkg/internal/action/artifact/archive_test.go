// SPDX-License-Identifier: Apache-2.0

package artifact_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestPushArchive holds that an archive that was packed elsewhere is pushed only
// if a directory with its files would be: without a Git repository, in any
// spelling, and without paths that lead out.
func TestPushArchive(t *testing.T) {
	t.Parallel()
	for entry, refused := range map[string]bool{
		".git/config": true, "a/.GIT/config": true, "cue.mod/pkg/x/.git": true, "git~1/config": true, "../x": true, "/x": true,
		".gitattributes": false, "a/b.cue": false,
	} {
		t.Run(entry, func(t *testing.T) {
			t.Parallel()
			image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(layer(t, entry), archive.MediaTypeContent))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "app.tar")
			if err = archive.WriteLayout(file, "1.0.0", image, archive.LayoutByName); err != nil {
				t.Fatal(err)
			}
			target := fixture.Reference(t, "oci://"+fixture.Registry(t)+"/app")
			_, err = artifact.PushModule(t.Context(), artifact.PushModuleRequest{ModuleRequest: artifact.ModuleRequest{Source: file, Version: "1.0.0"}, Target: target})
			if err == nil || refused != (fail.CodeOf(err) == fail.Refused) {
				t.Errorf("code %d: %v", fail.CodeOf(err), err) // what is not refused is no module
			}
		})
	}
}

func layer(t *testing.T, entry string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	if err := w.WriteHeader(&tar.Header{Name: entry, Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Write([]byte("x"))
	if err != nil || w.Close() != nil || zip.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
