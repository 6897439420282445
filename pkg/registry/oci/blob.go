// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// download gets one layer. It is hashed while it comes, once.
func (f *fetcher) download(ctx context.Context, layer v1.Descriptor) ([]byte, error) {
	ctx, cancel := f.Bounded(ctx, layer.Size)
	defer cancel()
	body, err := f.Blob(ctx, layer.Digest)
	if err != nil {
		return nil, f.Explain(ctx, err)
	}
	defer body.Close()
	// The size is bounded by the limits. One byte more shows an answer that
	// goes on.
	data, size := make([]byte, layer.Size+1), 0
	parts, sum := hashParts()
	transfer := event.Transferred{Reference: f.ref.String(), Digest: layer.Digest.String(), Total: layer.Size}
	f.options.Observe(transfer)
	for err == nil && size < len(data) {
		var n int
		n, err = body.Read(data[size:min(len(data), size+part)])
		parts <- data[size : size+n]
		size += n
		transfer.Done = min(int64(size), layer.Size)
		f.options.Observe(transfer)
	}
	close(parts)
	err = f.checkDownload(ctx, layer, int64(size), <-sum, err)
	if err != nil {
		transfer.Failed = true
		f.options.Observe(transfer)
	}
	return data[:size], err
}

// part is how much of an answer is hashed at a time: it is still in the
// processor's cache then.
const part = 256 << 10

// hashParts returns where content is sent to, part by part, until the channel
// is closed, and where its digest comes from then. A processor of its own
// hashes about as fast as a network delivers.
func hashParts() (parts chan<- []byte, digest <-chan v1.Hash) {
	const ahead = 64
	in, out := make(chan []byte, ahead), make(chan v1.Hash, 1)
	go func() {
		sum := sha256.New()
		for data := range in {
			sum.Write(data)
		}
		out <- v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}
	}()
	return in, out
}

// checkDownload decides what the end of a download means.
func (f *fetcher) checkDownload(ctx context.Context, layer v1.Descriptor, size int64, digest v1.Hash, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if size < layer.Size {
		reason := "the answer ended"
		if err != nil && !errors.Is(err, io.EOF) {
			reason = f.Clean(err.Error())
		}
		return fmt.Errorf("layer %s: the connection broke after %d of %d bytes: %s", layer.Digest, size, layer.Size, reason)
	}
	if size > layer.Size || digest != layer.Digest {
		return fmt.Errorf("%w: the registry sent other content for layer %s", archive.ErrDigest, layer.Digest)
	}
	return nil
}
