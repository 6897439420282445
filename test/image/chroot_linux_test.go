// SPDX-License-Identifier: Apache-2.0

package image_test

import (
	"archive/tar"
	"bytes"
	"fmt"
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

const instance = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Instance
  metadata: {name: web}
  spec: {module: {url: "%s"}}
items: []
`

// chroot unpacks the image into a directory that everybody may pass.
func chroot(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	dir := t.TempDir()
	if err := each(build(t), func(h *tar.Header, r io.Reader) error { return unpack(dir, h, r) }); err != nil {
		t.Fatal(err)
	}
	for parent := dir; parent != os.TempDir(); parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs the program of an unpacked image as a container engine would: in its
// file system, as the user nobody, without network. It takes only the rights of root.
func run(t *testing.T, root, input string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/timoni-krm")
	cmd.Dir, cmd.Env = "/", []string{"PATH=/", "HOME=/nonexistent"}
	cmd.Stdin = strings.NewReader(input)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: root, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Cloneflags: syscall.CLONE_NEWNET,
	}
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err = cmd.Run()
	return out.String(), messages.String(), err
}

func TestChroot(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := run(t, chroot(t), stream)
	if err != nil || !strings.Contains(stdout, "team: blue") || stderr != "" {
		t.Errorf("%v\n%s\n%s", err, stdout, stderr)
	}
}

// TestConfined holds that errors which come from how containers are run say so.
func TestConfined(t *testing.T) {
	t.Parallel()
	root := chroot(t)
	module := filepath.Join(root, "module")
	if err := os.CopyFS(module, os.DirFS(filepath.Join("..", "modules", "minimal"))); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		url  string
		path string      // below the module, which gets the mode for the time
		mode os.FileMode // for everybody
		want []string    // on standard error
	}{
		"a module":            {"file://./module", ".", 0o755, nil},
		"a closed directory":  {"file://./module", ".", 0o700, []string{"permission denied", "hint: functions in containers run as the user nobody"}},
		"a closed file":       {"file://./module", "timoni.cue", 0o600, []string{"timoni.cue\" of the module: permission denied", "hint: functions in containers run as the user nobody"}},
		"a module far away":   {"oci://127.0.0.1:1/module:1.0.0", ".", 0o755, []string{"registry is unreachable", "hint: there is no network here"}},
		"nowhere to write to": {"oci://127.0.0.1:1/module:1.0.0", "../tmp", 0o700, []string{"permission denied", "hint: set TMPDIR"}},
	} {
		path := filepath.Join(module, test.path)
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, err := run(t, root, fmt.Sprintf(instance, test.url))
		if (err == nil) != (test.want == nil) || test.want == nil && !strings.Contains(stdout, "kind: Deployment") {
			t.Errorf("%s: %v\n%s\n%s", name, err, stdout, stderr)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: %q is not in %s", name, want, stderr)
			}
		}
		if err := os.Chmod(path, before.Mode()); err != nil {
			t.Fatal(err)
		}
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
