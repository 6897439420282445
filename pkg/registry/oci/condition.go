// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// The conditions that a caller may ask for with errors.Is, in addition to those
// of the session and of the archive.
var (
	ErrExists  = errors.New("exists already")
	ErrOffline = errors.New("not in the cache")
)

// NoVersionError says that a reference names no version, and that the tag latest
// does not exist. It is an ErrNotFound.
type NoVersionError struct{ Newest []string } // versions that exist

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("no version is named, and the tag %s is %v", ref.Latest, session.ErrNotFound)
}

// Unwrap returns the condition.
func (e *NoVersionError) Unwrap() error { return session.ErrNotFound }

// OfflineError says that something is not in the cache and Options.Offline lets
// no registry be asked. It is an ErrOffline.
type OfflineError struct{ What string }

func (e *OfflineError) Error() string { return fmt.Sprintf("%v: %s", ErrOffline, e.What) }

// Unwrap returns the condition.
func (e *OfflineError) Unwrap() error { return ErrOffline }

// PointerError says that the cache has another version's manifest for a version.
// It is an ErrDigest.
type PointerError struct{ Digest, Wanted, Has string }

func (e *PointerError) Error() string {
	return fmt.Sprintf("%v: the cache has %s for version %s, which is version %q", archive.ErrDigest, e.Digest, e.Wanted, e.Has)
}

// Unwrap returns the condition.
func (e *PointerError) Unwrap() error { return archive.ErrDigest }

// ExistsError refuses to move a tag that has other content. It is an ErrExists.
type ExistsError struct{ Tag, Digest string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("tag %q %v with other content, %s", e.Tag, ErrExists, e.Digest)
}

// Unwrap returns the condition.
func (e *ExistsError) Unwrap() error { return ErrExists }
