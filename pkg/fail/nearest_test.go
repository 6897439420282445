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

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"image", "message"}
	for name, want := range map[string]string{"mesage": `, did you mean "message"?`, "x": ", known are image, message"} {
		if got := fail.Suggest(name, known); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := fail.Suggest("x", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}
