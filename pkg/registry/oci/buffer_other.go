// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package oci

// newBuffer returns zeroed memory.
func newBuffer(size int64) []byte { return make([]byte, size) }
