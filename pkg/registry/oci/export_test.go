// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// ParseMirrors returns the mirrors of a file as PREFIX=PREFIX.
func ParseMirrors(data []byte) (pairs []string, err error) {
	all, err := parseSettings(data)
	for _, m := range all.mirrors {
		pairs = append(pairs, m.from+"="+m.to)
	}
	return pairs, err
}

// SameDomain says whether two hosts belong to one registrable domain.
func SameDomain(a, b string) bool { return sameDomain(a, b) }

// ParseChallenges reads a WWW-Authenticate header.
func ParseChallenges(header string) []transport.Challenge { return parseChallenges(header) }

// Point notes in a cache which manifest an address has.
func Point(c Cache, reference, digest string) { c.point(reference, digest) }
