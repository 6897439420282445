// SPDX-License-Identifier: Apache-2.0

// Package kubernetes holds the CUE schemas of Kubernetes. It is apart from the
// others since they are larger than all else: only what writes them into a
// module links them.
package kubernetes

import (
	"archive/zip"
	"bytes"
	_ "embed" // for schemas.zip
	"fmt"
	"io/fs"
)

// Version is the version of Kubernetes that the schemas are of.
const Version = "1.36"

// The program test/schemas writes them, with 'make gen'.
//
//go:embed schemas.zip
var schemas []byte

// Schemas returns the packages of the API groups that are generally available,
// and those that they import, as a tree to be put into a module's cue.mod/gen:
// k8s.io/api/apps/v1/….
func Schemas() (fs.FS, error) {
	tree, err := zip.NewReader(bytes.NewReader(schemas), int64(len(schemas)))
	if err != nil {
		return nil, fmt.Errorf("the schemas in the binary: %w", err)
	}
	return tree, nil
}
