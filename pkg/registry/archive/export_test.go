// SPDX-License-Identifier: Apache-2.0

package archive

// IsGit says whether a name is .git to some file system.
func IsGit(name string) bool { return isGit(name) }

// IsReserved says whether Windows has no file of that name.
func IsReserved(name string) bool { return isReserved(name) }

// Pack makes the artifact of a module that has no version.
func Pack(dir string, o PackOptions) (Image, error) { return pack(dir, o) }
