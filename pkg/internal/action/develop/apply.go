// SPDX-License-Identifier: Apache-2.0

package develop

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// patience is how long an apply that was interrupted may take to end.
const patience = 30 * time.Second

// Child is the process that applies.
type Child struct {
	Path           string
	Args, Environ  []string
	Stdout, Stderr io.Writer
}

// Apply runs a child and returns its exit code. It is interrupted when during is
// over; when ctx is, the terminal has told the child too, and a second signal
// would end it in the middle of what it does.
func Apply(ctx, during context.Context, c Child) (code int, err error) {
	cmd := exec.CommandContext(during, c.Path, c.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.Environ, c.Stdout, c.Stderr
	cmd.WaitDelay = patience
	cmd.Cancel = func() error {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // see above
		}
		if cmd.Process.Signal(os.Interrupt) != nil { // as on Windows
			return cmd.Process.Kill()
		}
		return nil
	}
	err = cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode(), nil
	}
	if during.Err() != nil {
		return int(fail.Interrupted), nil //nolint:nilerr // it was interrupted
	}
	return 0, err
}
