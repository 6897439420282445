// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

func TestSameDomain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		a, b string
		want bool
	}{
		"below":           {"registry.example.com", "auth.example.com", true},
		"case":            {"registry.EXAMPLE.com", "example.com.", true},
		"another":         {"registry.example.com", "example.net", false},
		"a suffix":        {"registry.example.co.uk", "evil.co.uk", false},
		"a shared suffix": {"team.github.io", "evil.github.io", false},
		"addresses":       {"10.1.0.1", "10.2.0.1", false},
		"IPv6":            {"::1", "::1", false},
		"no domain":       {"registry", "registry", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := session.SameDomain(test.a, test.b); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// FuzzChallenges reads anything and ends.
func FuzzChallenges(f *testing.F) {
	for _, seed := range []string{"", `Bearer realm="x",scope=y`, `a b==, c d="\"`, "=", `,"`, "Bearer realm=\"", "\x00=\t,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, c := range session.ParseChallenges(header) {
			if strings.ContainsAny(c.Scheme, " ,=") {
				t.Errorf("scheme %q", c.Scheme)
			}
		}
	})
}
