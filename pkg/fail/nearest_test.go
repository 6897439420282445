// SPDX-License-Identifier: Apache-2.0

package fail_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"replicas", "image", "message", "to", "apply", "status"}
	for name, want := range map[string]string{
		"replcas":  "replicas",
		"Replicas": "replicas",
		"mesage":   "message",
		"messgae":  "message",
		"aply":     "apply",
		"staus":    "status",
		"ot":       "",
		"x":        "",
		"":         "",
		"database": "",
	} {
		if got, ok := fail.Nearest(name, known); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
}
