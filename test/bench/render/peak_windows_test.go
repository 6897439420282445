// SPDX-License-Identifier: Apache-2.0

package render_test

import "os"

// peak returns 0: Windows does not tell.
func peak(*os.ProcessState) float64 { return 0 }
