// SPDX-License-Identifier: Apache-2.0

package render

import "fmt"

// NoModuleError says that a directory has no cue.mod/module.cue. It is an
// ErrNoModule.
type NoModuleError struct{ Dir string }

// Error names the directory.
func (e *NoModuleError) Error() string {
	return fmt.Sprintf("directory %q has no %s: %v", e.Dir, moduleFile, ErrNoModule)
}

// Unwrap returns ErrNoModule.
func (e *NoModuleError) Unwrap() error { return ErrNoModule }

// PackageError says that values.cue has no package clause. Such a file is easily
// taken for a file of values, which needs none.
type PackageError struct{ File, Package string }

// Error names the file and the package.
func (e *PackageError) Error() string {
	return fmt.Sprintf("%s has no package clause, expected package %s", e.File, e.Package)
}

// NotVendoredError says that a module depends on a CUE module that it has no copy
// of, and for which no CUE registry may be asked.
type NotVendoredError struct{ Err error }

// Error names the CUE module and the place.
func (e *NotVendoredError) Error() string { return e.Err.Error() }

// Unwrap returns the *values.Error.
func (e *NotVendoredError) Unwrap() error { return e.Err }
