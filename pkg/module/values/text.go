// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/format"
)

// Text returns evaluated values as the instance record holds them (docs/interop.md,
// section 3): a CUE struct, indented with tabs.
func Text(v cue.Value) (string, error) {
	out, err := format.Node(v.Syntax(cue.Final()))
	return string(out), err
}
