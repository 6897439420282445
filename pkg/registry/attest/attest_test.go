// SPDX-License-Identifier: Apache-2.0

package attest_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/attest"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

func subject() attest.Subject {
	return attest.Subject{
		Repository: "registry.example.com:5000/modules/app", Digest: "sha256:" + strings.Repeat("a", 64), Version: "1.2.3",
		Source: "https://example.com/app.git", Revision: strings.Repeat("b", 40),
		Images: []string{"docker.io/library/nginx:1.29@sha256:" + strings.Repeat("c", 64), "localhost:5000/App", "registry.k8s.io/pause:3.10"},
	}
}

// TestGolden pins both documents: they are the same whenever and wherever they
// are made.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func() ([]byte, error){
		"provenance.json": func() ([]byte, error) { return attest.Provenance(subject(), "0.1.0") },
		"sbom.json":       func() ([]byte, error) { return attest.SBOM(subject()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := write()
			if err != nil {
				t.Fatal(err)
			}
			var indented bytes.Buffer
			if err = json.Indent(&indented, data, "", "  "); err != nil {
				t.Fatal(err)
			}
			indented.WriteByte('\n')
			golden.File(t, filepath.Join("testdata", name), indented.Bytes())
		})
	}
}

// TestUnknown is about modules of which too little is known.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Source, s.Revision, s.Images = "", "", nil
	provenance, err := attest.Provenance(s, "0.1.0")
	if provenance != nil || err != nil {
		t.Errorf("provenance %q, %v", provenance, err)
	}
	sbom, err := attest.SBOM(s)
	if sbom != nil || err != nil {
		t.Errorf("SBOM %q, %v", sbom, err)
	}
	s.Revision = strings.Repeat("b", 40) + "-dirty"
	provenance, err = attest.Provenance(s, "0.1.0")
	if err != nil || !bytes.Contains(provenance, []byte(`"uncommittedChanges":true`)) {
		t.Errorf("provenance of a changed tree %q, %v", provenance, err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	data, err := attest.Provenance(subject(), "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	statement, ok := attest.ReadProvenance(data)
	if !ok || !statement.About(subject().Digest) || statement.About("sha256:"+strings.Repeat("0", 64)) || statement.About("") {
		t.Errorf("read %+v", statement)
	}
	for _, text := range []string{"", "[]", "{}", `{"_type":"https://in-toto.io/Statement/v1"}`} {
		if _, ok = attest.ReadProvenance([]byte(text)); ok {
			t.Errorf("%q is read as a statement", text)
		}
		if _, ok = attest.ReadSBOM([]byte(text)); ok {
			t.Errorf("%q is read as an SBOM", text)
		}
	}
}
