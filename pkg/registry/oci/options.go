// SPDX-License-Identifier: Apache-2.0

// Package oci moves artifacts between directories and OCI registries, and lists,
// tags and signs them there.
//
// Nothing that a registry says is believed: manifest and layers are hashed
// before they are parsed. Credentials never reach an error.
package oci

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
)

// Options say how a registry is reached, and what is taken of it. The zero value
// takes the credentials of the docker configuration and its helpers.
type Options struct {
	session.Access

	Limits archive.Limits
	// Verifier is asked before content is used, nil to use it in any case.
	Verifier Verifier

	// Cache keeps what was pulled. The zero value keeps nothing.
	Cache cache.Cache
	// Offline takes what the cache has and refuses to ask a registry.
	Offline bool
}
