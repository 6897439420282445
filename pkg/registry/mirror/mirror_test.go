// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
)

// FuzzMirrors reads anything; what it takes names each prefix once.
func FuzzMirrors(f *testing.F) {
	for _, seed := range []string{"", "# nothing", "mirrors: {a: b}", "mirrors: [", "mirrors: &a {a: *a}", "---\n---\n", "? {a: b}\n: c"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := mirror.ParseMirrors(data)
		seen := map[string]bool{}
		for _, pair := range pairs {
			if err == nil && seen[pair] {
				t.Errorf("%q is there twice", pair)
			}
			seen[pair] = true
		}
	})
}
