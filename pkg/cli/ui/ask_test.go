// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{"y\n": true, "YES\n": true, "\tyes\r\n": true, "y": true, "n\n": false, "\n": false, "": false, "yesterday\n": false} {
		var out strings.Builder
		got, err := ui.Ask(t.Context(), strings.NewReader(answer), &out, "Really?")
		if got != want || err != nil || out.String() != "Really? [y/N] " {
			t.Errorf("answer %q: %v, %v, asked %q", answer, got, err, out.String())
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	never, writer := io.Pipe()
	defer writer.Close()
	interrupt := errors.New("interrupt")
	cancel(interrupt)
	if _, err := ui.Ask(ctx, never, io.Discard, "Really?"); !errors.Is(err, interrupt) {
		t.Errorf("interrupted: %v", err)
	}
}
