// SPDX-License-Identifier: Apache-2.0

package plugins

import "io"

// Process is what a sibling is started with.
type Process struct {
	Path    string
	Argv    []string // argv[0] included
	Environ []string

	Stdin          io.Reader
	Stdout, Stderr io.Writer
}
