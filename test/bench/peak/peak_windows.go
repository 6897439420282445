// SPDX-License-Identifier: Apache-2.0

// Package peak tells how much memory a process took.
package peak

import "os"

// Of returns 0: Windows does not tell.
func Of(*os.ProcessState) float64 { return 0 }
