// SPDX-License-Identifier: Apache-2.0

package builtin_test

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
)

// TestVersion holds the constant to what the documents were made from.
func TestVersion(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../test/controlplane/kubernetes/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^require k8s.io/kubernetes v(1\.\d+)\.`).FindSubmatch(data)
	if len(m) < 2 || string(m[1]) != builtin.Kubernetes {
		t.Errorf("the documents are of %s, the constant is %s", m, builtin.Kubernetes)
	}
}

// TestEmbedded reads all documents, and finds what they and the kinds refer to.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	archive, err := zip.OpenReader("openapi.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	names, wanted := map[string]bool{}, map[string]bool{}
	files, err := fs.Glob(archive, "io.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := fs.ReadFile(archive, file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			name, schema, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			names[name] = true
			if in := strings.TrimSuffix(name, filepath.Ext(name)); in != file || !json.Valid([]byte(schema)) {
				t.Errorf("%s is in %s and would be looked for in %s, or has no schema: %s", name, file, in, schema)
			}
		}
		for _, m := range regexp.MustCompile(`"\$ref":"#/definitions/([^"]*)"`).FindAllSubmatch(data, -1) {
			wanted[string(m[1])] = true
		}
	}
	kinds, err := fs.ReadFile(archive, "kinds")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(kinds)) {
		n++
		wanted[strings.Fields(line)[2]] = true
	}
	for name := range wanted {
		if !names[name] {
			t.Errorf("there is no definition %s", name)
		}
	}
	if n < 150 || len(names) < 500 {
		t.Errorf("%d kinds and %d definitions", n, len(names))
	}
}
