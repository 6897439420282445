// SPDX-License-Identifier: Apache-2.0

// Package schema holds the CUE schemas that modules import, and those that
// the renderer unifies a module with.
package schema

import (
	"bytes"
	"embed"
	"io/fs"
)

// The definitions of timoni.cue serve both: a module imports them, and has
// them in its own package.
const (
	module  = "timoni.sh/core/v1alpha1/timoni.cue"
	clause  = "package v1alpha1\n"
	binding = "\ntimoni: #Timoni\n"
)

//go:embed timoni.sh/core/v1alpha1/*.cue
var core embed.FS

// Core returns the CUE package timoni.sh/core/v1alpha1 as a tree to be put
// into a module's cue.mod/pkg: its files are named
// timoni.sh/core/v1alpha1/<topic>.cue.
func Core() fs.FS { return core }

// Module returns a CUE file of the package pkg, which is to join a module's
// root package: it declares #Timoni, #HealthCheck and
// #HealthCheckForCondition, and unifies the field timoni with #Timoni
// (docs/interop.md section 1).
func Module(pkg string) []byte {
	src, err := core.ReadFile(module)
	if err != nil {
		panic(err) // embedded above
	}
	return append(bytes.Replace(src, []byte(clause), []byte("package "+pkg+"\n"), 1), binding...)
}
