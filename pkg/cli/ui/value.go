// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
)

// Value writes a result that has a line for a person: that line, or v as
// Structured does when a format is given.
func Value(w io.Writer, format string, v fmt.Stringer) error {
	if format != "" {
		return Structured(w, format, v)
	}
	_, err := Println(w, v)
	return err
}
