// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cachedir

import (
	"io/fs"
	"os"
	"syscall"
)

// openNonblock keeps a pipe from blocking the process that opens it.
const openNonblock = syscall.O_NONBLOCK

// isShared says whether another user than root may write to a directory.
func isShared(info fs.FileInfo, stickyToo bool) bool {
	const others = 0o022
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid != 0 && int(owner.Uid) != os.Geteuid() {
		return true
	}
	return info.Mode().Perm()&others != 0 && !(stickyToo && info.Mode()&fs.ModeSticky != 0)
}
