// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package cachedir

import "io/fs"

const openNonblock = 0

// isShared is not known here: directories of a profile are the user's.
func isShared(fs.FileInfo, bool) bool { return false }
