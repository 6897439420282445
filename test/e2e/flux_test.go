// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestFlux pulls with Flux's own library what artifact push --format=flux and
// build --push have made, and the other way round.
func TestFlux(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	program := extra(t, "flux")
	flux := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Stderr = &log
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("flux %q: %v\n%s", args, err, log.String())
		}
		return out
	}
	u, repo := newUser(t), registry(t, &front{})
	address := strings.TrimPrefix(repo, "oci://")
	manifests := u.must("", "build", "app", filepath.Join(u.modules, "minimal"), "-n", "apps")
	u.must("", "build", "app", filepath.Join(u.modules, "minimal"), "-n", "apps", "--push", repo+":built")
	u.must(manifests, "artifact", "push", repo+":1.0.0", "-f", "-", "--format=flux",
		"-a", "org.opencontainers.image.source=https://example.com", "-a", "org.opencontainers.image.revision=main@sha1:abc")
	for _, tag := range []string{"1.0.0", "built"} {
		dir := t.TempDir()
		var got map[string]any
		if err := json.Unmarshal(flux("pull", address+":"+tag, dir), &got); err != nil {
			t.Fatal(err)
		}
		if tag == "1.0.0" && (got["source_url"] != "https://example.com" || got["source_revision"] != "main@sha1:abc") {
			t.Errorf("Flux reads %v", got)
		}
		content, err := os.ReadFile(filepath.Join(dir, "manifests.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(manifests, string(content)); diff != "" {
			t.Errorf("pulled by Flux (-want +got):\n%s", diff)
		}
	}

	dir := fixture.Dir(t, map[string]string{"a.yaml": manifests})
	flux("push", address+":theirs", dir, "https://example.com/theirs", "main@sha1:def")
	out := filepath.Join(t.TempDir(), "out")
	if text := u.must("", "artifact", "pull", repo+":theirs", out, "-o", "json"); !strings.Contains(text, `"org.opencontainers.image.revision": "main@sha1:def"`) {
		t.Errorf("pulled %s", text)
	}
	content, err := os.ReadFile(filepath.Join(out, "a.yaml"))
	if err != nil || string(content) != manifests {
		t.Errorf("pulled %q, %v", content, err)
	}
}
