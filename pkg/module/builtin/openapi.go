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

// The program test/schemas writes it, with 'make gen': a file for each Go
// package with the name and the schema of a definition in each line, and kinds,
// which says which definition each kind has.
//
//go:embed openapi.zip
var archive []byte

// Embedded returns the schemas in the binary. Of them only those are decoded
// that objects need.
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
	packages := map[string][]byte{}
	openAPI := crd.NewOpenAPI(kinds, func(name string) json.RawMessage {
		in := name[:max(strings.LastIndex(name, "."), 0)]
		lines, isRead := packages[in]
		if !isRead {
			lines, _ = fs.ReadFile(tree, in) // TestEmbedded reads all of them
			lines = append([]byte("\n"), lines...)
			packages[in] = lines
		}
		_, line, found := bytes.Cut(lines, []byte("\n"+name+" "))
		if !found {
			return nil
		}
		line, _, _ = bytes.Cut(line, []byte("\n"))
		return line
	})
	return &Schemas{openAPI: openAPI, isEmbedded: true}, nil
}
