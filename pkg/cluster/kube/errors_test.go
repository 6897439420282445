// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"net/http"
	"testing"
)

// TestJoin holds that a server that is away is told once.
func TestJoin(t *testing.T) {
	t.Parallel()
	away := func(text string) error { return &UnreachableError{Host: "h", Err: errors.New(text)} }
	other := errors.New(http.StatusText(http.StatusConflict))
	for want, errs := range map[string][]error{
		"the server h is not reachable: one":           {away("one"), away("two"), nil},
		"the server h is not reachable: one\nConflict": {away("one"), other, away("two")},
		"Conflict\nthe server h is not reachable: two": {other, away("two")},
	} {
		if got := Join(errs[0], errs[1:]...).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
