// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/format"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestOpenAPI makes packages of the archive's documents and known files, and
// compares them with the files below gen.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	golden.Run(t, "testdata/openapi/*.txtar", openAPI)
}

// openAPI returns the archive with the packages of its documents.
func openAPI(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	got := &txtar.Archive{Comment: archive.Comment}
	packages, known := crd.Packages{}, map[string][]byte{}
	for _, file := range archive.Files {
		if original, ok := strings.CutPrefix(file.Name, "known/"); ok {
			known[original] = file.Data
		} else if path.Ext(file.Name) == ".json" {
			if err := packages.Add(file.Data); err != nil {
				t.Fatal(err)
			}
		} else {
			continue
		}
		got.Files = append(got.Files, file)
	}
	files, err := packages.Files(known)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if again, err := format.Source(files[name], format.Simplify()); err != nil || !bytes.Equal(again, files[name]) {
			t.Errorf("%s is not formatted: %v\n%s", name, err, cmp.Diff(string(files[name]), string(again)))
		}
		got.Files = append(got.Files, txtar.File{Name: "gen/" + name, Data: files[name]})
	}
	return got
}

func TestOpenAPIPaths(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		index, err string
		want       []string
	}{
		"groups": {
			index: `{"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=1"}, "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=2"},
				"apis/apps": {}, "version": {}, "apis/batch/v1beta1": {}, "apis/autoscaling/v2": {"serverRelativeURL": "/a"}, "apis/networking.k8s.io/v1": {"serverRelativeURL": "/n"}, "apis/example.com/v1": {}}}`,
			want: []string{"/openapi/v3/api/v1?hash=2", "/openapi/v3/apis/apps/v1?hash=1", "/a", "/n"},
		},
		"none":    {index: `{"paths": {"apis/example.com/v1": {}}}`, err: "the index of OpenAPI v3 names no API group of Kubernetes"},
		"no JSON": {index: `<html>`, err: "the index of OpenAPI v3: invalid character '<' looking for beginning of value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := crd.OpenAPIPaths([]byte(tc.index))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if text(err) != tc.err {
				t.Errorf("error %q, want %q", text(err), tc.err)
			}
		})
	}
}

// TestReadOpenAPI wants documents that are whole.
func TestReadOpenAPI(t *testing.T) {
	t.Parallel()
	const not, broken = "-: not an OpenAPI document in JSON: ", "-: broken document: the schema "
	for name, tc := range map[string]struct{ document, err string }{
		"list":         {`[]`, not + `the document must be of type object: "array"`},
		"text":         {`{"definitions": {"a": "b"}}`, broken + "a must be an object"},
		"definitions":  {`{"definitions": []}`, not + `definitions must be of type object: "array"`},
		"nothing":      {`{"definitions": {"a": {"properties": {"b": {"$ref": "#/definitions/c"}}}}}`, broken + "a refers to c, which does not exist"},
		"cycle":        {`{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}}`, broken + "a refers to itself"},
		"cycle of v3":  {`{"components": {"schemas": {"a": {"allOf": [{"$ref": "#/components/schemas/a"}]}}}}`, broken + "a refers to itself"},
		"alias":        {`{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"type": "object"}}}`, ""},
		"below itself": {`{"definitions": {"a": {"properties": {"b": {"$ref": "#/definitions/a"}}}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := crd.ReadOpenAPI(t.Context(), crd.Files{Names: []string{"-"}, Stdin: strings.NewReader(tc.document)})
			if text(err) != tc.err {
				t.Errorf("error %q, want %q", text(err), tc.err)
			}
		})
	}
}

// FuzzOpenAPI: whatever a document says, there is no panic and no path leaves
// cue.mod/gen.
func FuzzOpenAPI(f *testing.F) {
	for _, archive := range golden.Scripts(f, "testdata/openapi/*.txtar") {
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		packages := crd.Packages{}
		if packages.Add(document) != nil {
			return
		}
		files, err := packages.Files(nil)
		if err != nil {
			return
		}
		for name := range files {
			if !strings.HasPrefix(path.Clean(name), "k8s.io/") {
				t.Errorf("path %q", name)
			}
		}
	})
}
