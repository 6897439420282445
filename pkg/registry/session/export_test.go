// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// SameDomain says whether two hosts belong to one registrable domain.
func SameDomain(a, b string) bool { return sameDomain(a, b) }

// ParseChallenges reads a WWW-Authenticate header.
func ParseChallenges(header string) []transport.Challenge { return parseChallenges(header) }
