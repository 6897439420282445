// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"bytes"
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// PushObjects pushes objects as 'artifact push -f - --format=flux' does.
func PushObjects(ctx context.Context, target ref.Reference, objects []byte, epoch string, options oci.Options) (Pushed, error) {
	return PushArtifact(ctx, PushArtifactRequest{
		ArtifactRequest: ArtifactRequest{
			Source: "-", Stdin: bytes.NewReader(objects), Format: archive.FormatFlux,
			Metadata: Metadata{SourceDateEpoch: epoch},
		},
		Target: target, OCI: options,
	})
}
