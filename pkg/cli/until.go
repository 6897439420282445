// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"sync"
)

// Until returns a reader of r that fails with the context's cause once that is
// done: a read of a terminal or a pipe cannot be interrupted. Nothing is read
// before it is asked for.
func Until(ctx context.Context, r io.Reader) io.Reader {
	return untilDone(sync.OnceValue(func() *io.PipeReader {
		reader, writer := io.Pipe()
		context.AfterFunc(ctx, func() { writer.CloseWithError(context.Cause(ctx)) })
		go func() {
			_, err := io.Copy(writer, r)
			writer.CloseWithError(err)
		}()
		return reader
	}))
}

type untilDone func() *io.PipeReader

func (pipe untilDone) Read(p []byte) (int, error) { return pipe().Read(p) }
