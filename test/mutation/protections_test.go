// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

// TestProtections holds that what the mutations remove is still there, so that
// they can be run at any time. Running them takes too long for every change.
func TestProtections(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range protections() {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.file)))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := p.remove(string(text)); err != nil {
			t.Errorf("%s: %v", p.promise, err)
		}
	}
}
