// SPDX-License-Identifier: Apache-2.0

package image_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const stream = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Vet
  metadata: {name: policy}
  spec:
    schema: {inline: "#Config: {data: team: string, ...}"}
    rules: [{match: {kind: ConfigMap}, definition: "#Config"}]
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
  data: {team: blue}
`

// TestChroot runs the image's program as a container runtime would: in its file
// system, as nobody, without network. There is no such runtime on every
// machine, and this takes only the rights of root.
func TestChroot(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	dir := t.TempDir()
	if err := each(build(t), func(h *tar.Header, r io.Reader) error { return unpack(dir, h, r) }); err != nil {
		t.Fatal(err)
	}
	for parent := dir; parent != os.TempDir(); parent = filepath.Dir(parent) { // nobody has to pass them
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "/timoni-krm")
	cmd.Dir, cmd.Env = "/", []string{"PATH=/", "HOME=/nonexistent"}
	cmd.Stdin = strings.NewReader(stream)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: dir, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Cloneflags: syscall.CLONE_NEWNET,
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte("team: blue")) {
		t.Errorf("%v\n%s\n%s", err, out, stderr.String())
	}
}

func unpack(dir string, h *tar.Header, r io.Reader) error {
	path := filepath.Join(dir, filepath.FromSlash(h.Name))
	if h.Typeflag == tar.TypeDir {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		return os.Chmod(path, h.FileInfo().Mode())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, h.FileInfo().Mode().Perm())
}
