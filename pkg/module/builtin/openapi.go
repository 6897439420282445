// SPDX-License-Identifier: Apache-2.0

package builtin

import (
	"archive/zip"
	"bytes"
	_ "embed" // for openapi.zip
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// kubernetes is the version of Kubernetes whose kinds are known.
const kubernetes = "1.36"

// The program test/schemas writes it, with 'make gen': a document for each Go
// package, and which definition each kind has.
//
//go:embed openapi.zip
var archive []byte

// Embedded returns the schemas in the binary. Of the documents only those are
// read that objects need.
func Embedded() (*Schemas, error) {
	tree, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("the OpenAPI documents in the binary: %w", err)
	}
	index, err := fs.ReadFile(tree, "kinds")
	if err != nil {
		return nil, fmt.Errorf("the OpenAPI documents in the binary: %w", err)
	}
	kinds := map[string]string{}
	for line := range strings.Lines(string(index)) {
		line = strings.TrimSpace(line)
		at := strings.LastIndex(line, " ")
		kinds[line[:at]] = line[at+1:]
	}
	documents := map[string]crd.Documents{}
	openAPI := crd.NewOpenAPI(kinds, func(name string) json.RawMessage {
		in := name[:max(strings.LastIndex(name, "."), 0)]
		if documents[in] == nil {
			documents[in] = crd.Documents{}
			if data, err := fs.ReadFile(tree, in+".json"); err == nil {
				_ = documents[in].Add(data) // TestEmbedded reads all of them
			}
		}
		return documents[in][name]
	})
	return &Schemas{openAPI: openAPI, isEmbedded: true}, nil
}
