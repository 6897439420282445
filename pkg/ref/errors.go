// SPDX-License-Identifier: Apache-2.0

package ref

import "fmt"

// SchemeError says that a module has an address of a scheme that is not known.
type SchemeError struct{ Module string }

// Error names the module.
func (e *SchemeError) Error() string { return fmt.Sprintf("module %q: unknown scheme", e.Module) }

// CredentialsError says that a module was named with the credentials for its
// registry.
type CredentialsError struct {
	Module string // without the credentials
	Host   string
}

// Error names the module.
func (e *CredentialsError) Error() string {
	return fmt.Sprintf("module %q holds credentials, which have no place there", e.Module)
}

// DirectoryError says that a version or a digest was asked for of a module in a
// directory.
type DirectoryError struct{ Module string }

// Error names the module.
func (e *DirectoryError) Error() string {
	return fmt.Sprintf("module %q is a directory: it has no version or digest to select", e.Module)
}
