// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package kit

import "os/exec"

// guard does nothing where the kernel does not tell a child about the death of
// its parent: there a supervisor that is killed leaves its children.
func guard(*exec.Cmd) {}
