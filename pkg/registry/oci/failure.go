// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// NotFoundError says that a registry has no such artifact. It is an ErrNotFound.
type NotFoundError struct {
	Source string // oci://HOST/PATH
	Err    error
}

func (e *NotFoundError) Error() string { return e.Err.Error() }

// Unwrap returns the condition.
func (e *NotFoundError) Unwrap() error { return e.Err }

// NoVersionError says that a reference names no version, and that the tag latest
// does not exist. It is an ErrNotFound.
type NoVersionError struct{ Newest []string } // versions that exist

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("no version is named, and the tag %s is %v", ref.Latest, ErrNotFound)
}

// Unwrap returns the condition.
func (e *NoVersionError) Unwrap() error { return ErrNotFound }

// DeniedError says that a registry denies access. It is an ErrUnauthorized.
type DeniedError struct {
	Host     string
	LoggedIn bool // with credentials
	Err      error
}

func (e *DeniedError) Error() string { return e.Err.Error() }

// Unwrap returns the condition.
func (e *DeniedError) Unwrap() error { return e.Err }

// UnreachableError says that a registry was not reached. It is an
// ErrUnreachable.
type UnreachableError struct {
	Host      string
	Untrusted bool // its certificate is not trusted, or it speaks no TLS
	Isolated  bool // the process reaches nothing but itself
	Reason    string
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrUnreachable, e.Host, e.Reason)
}

// Unwrap returns the condition.
func (e *UnreachableError) Unwrap() error { return ErrUnreachable }

// CredentialsError says that the credentials for a registry cannot be found out.
type CredentialsError struct{ Host, Reason string }

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("credentials for %s: %s", e.Host, e.Reason)
}

// TokenServerError refuses to send the credentials for a registry to a host of
// another domain. Options.AuthHosts allows it.
type TokenServerError struct{ Registry, Host string }

func (e *TokenServerError) Error() string {
	return fmt.Sprintf("registry %s asks for the credentials at %s, a host of another domain", e.Registry, e.Host)
}

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
