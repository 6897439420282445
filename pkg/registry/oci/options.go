// SPDX-License-Identifier: Apache-2.0

package oci

// Options say how a registry is reached, and what is taken of it. The zero value
// takes the credentials of the docker configuration and its helpers.
type Options struct {
	Access

	Limits Limits
	// Verifier is asked before content is used, nil to use it in any case.
	Verifier Verifier

	// Cache keeps what was pulled. The zero value keeps nothing.
	Cache Cache
	// Offline takes what the cache has and refuses to ask a registry.
	Offline bool
}
