// SPDX-License-Identifier: Apache-2.0

package oci

// IsGit says whether a name is .git to some file system.
func IsGit(name string) bool { return isGit(name) }

// IsReserved says whether Windows has no file of that name.
func IsReserved(name string) bool { return isReserved(name) }
