// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
)

// NotFoundError says that a registry has no such artifact. It is an ErrNotFound.
type NotFoundError struct {
	Source string // oci://HOST/PATH
	Err    error
}

func (e *NotFoundError) Error() string { return e.Err.Error() }

// Unwrap returns the condition.
func (e *NotFoundError) Unwrap() error { return e.Err }

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

// CredentialsError says that the credentials for a registry cannot be read.
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
