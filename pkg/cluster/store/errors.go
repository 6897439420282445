// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// LockedError says that another run holds the lock of an instance.
type LockedError struct{ Namespace, Name, Holder string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("instance %q in namespace %q is locked by %s, which is still at work", e.Name, e.Namespace, mask.Line(e.Holder))
}

// ChangedError says that another run has changed the record of an instance since
// it was read.
type ChangedError struct{ Err error }

func (e *ChangedError) Error() string { return e.Err.Error() }

// Unwrap returns the server's conflict.
func (e *ChangedError) Unwrap() error { return e.Err }

// NewerFormatError refuses to write a Secret that a newer version wrote.
type NewerFormatError struct {
	Namespace, Name string // of the Secret
	Format          string
	Known           int // the highest that this version writes
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("Secret %s/%s has format %.20q, this version of kubectl timoni writes format %d and older: a newer version wrote it",
		e.Namespace, e.Name, e.Format, e.Known)
}
