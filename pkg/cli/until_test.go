// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("text\n", 20000)
	if err := iotest.TestReader(cli.Until(t.Context(), strings.NewReader(text)), []byte(text)); err != nil {
		t.Error(err)
	}
	failure := errors.New("failed")
	if _, err := io.ReadAll(cli.Until(t.Context(), iotest.ErrReader(failure))); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}

	// A read that nothing answers ends with the context.
	silent, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := cli.Until(ctx, silent)
	go cancel(failure)
	if _, err := io.ReadAll(r); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
}
