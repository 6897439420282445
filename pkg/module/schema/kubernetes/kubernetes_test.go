// SPDX-License-Identifier: Apache-2.0

package kubernetes_test

import (
	"io/fs"
	"os"
	"regexp"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema/kubernetes"
)

// TestVersion holds the constant to what the schemas were made from.
func TestVersion(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../../test/schemas/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\tk8s.io/api v0\.(\d+)\.`).FindSubmatch(data)
	if len(m) < 2 || "1."+string(m[1]) != kubernetes.Version {
		t.Errorf("the schemas are of %s, Version is %s", m, kubernetes.Version)
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	tree, err := kubernetes.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(tree, "k8s.io/api/core/v1/types_go_gen.cue"); err != nil {
		t.Error(err)
	}
}
