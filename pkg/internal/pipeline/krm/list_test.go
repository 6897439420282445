// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

const packaged = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: krm.timoni.sh/v1alpha1
  kind: Vet
  metadata: {name: policy}
  spec:
    schema: {file: policy.cue}
    rules: [{match: {kind: ConfigMap}, definition: "#Config"}]
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: a
    annotations: {internal.config.kubernetes.io/package-path: '%[1]s/sub'%[2]s}
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: b
    annotations: {internal.config.kubernetes.io/package-path: '%[1]s'%[2]s}
`

// TestPackage holds that files are named relative to the package that kpt
// renders, wherever kpt was started, and that nothing leads outside by that.
func TestPackage(t *testing.T) {
	t.Parallel()
	const (
		file  = ", internal.config.kubernetes.io/path: a.yaml"
		build = ", kustomize.config.k8s.io/id: x"
	)
	for name, test := range map[string]struct{ pkg, annotations, err string }{
		"below the working directory":  {"base/pkg", file, ""},
		"the working directory":        {"base", file, `file "policy.cue": no such file`},
		"outside":                      {"other", file, `file "policy.cue": no such file`},
		"nowhere, as in a container":   {"nothing", file, `file "policy.cue": no such file`},
		"said by an object of a build": {"base/pkg", build, `file "policy.cue": no such file`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, pkg := range []string{"base/pkg/sub", "other"} {
				if err := os.MkdirAll(filepath.Join(dir, pkg), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, pkg := range []string{"base/pkg", "other"} {
				if err := os.WriteFile(filepath.Join(dir, pkg, "policy.cue"), []byte("#Config: {...}\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			list, err := krm.Read(strings.NewReader(fmt.Sprintf(packaged, filepath.Join(dir, test.pkg), test.annotations)))
			if err != nil {
				t.Fatal(err)
			}
			err = krm.Function{Dir: filepath.Join(dir, "base")}.Run(t.Context(), list)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}

// TestEnd holds that separators at the end of a stream begin no document, and
// that a byte order mark at its beginning is no part of it.
func TestEnd(t *testing.T) {
	t.Parallel()
	const list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]\n"
	for _, stream := range []string{list, list + "---\n", list + "---", list + "\n--- \n\n---\n\n", "\ufeff" + list, "---\n" + list} {
		got, err := krm.Read(strings.NewReader(stream))
		if err != nil || len(got.Items) != 1 {
			t.Errorf("%q: %d items, %v", stream, len(got.Items), err)
		}
		got, err = krm.ReadStream([]byte("kind: Instance\n---\n"), strings.NewReader(stream))
		if err != nil || len(got.Items) != 1 || got.IsStream() {
			t.Errorf("%q with a file: %d items, %v", stream, len(got.Items), err)
		}
	}
}
