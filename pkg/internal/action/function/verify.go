// SPDX-License-Identifier: Apache-2.0

package function

import (
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

// keyVerifier lets pass what one key has signed, and the user's own policy lets
// pass.
type keyVerifier struct {
	key    signature.PublicKey
	policy oci.Verifier // nil: there is none
}

func newKeyVerifier(access krm.Access, policy oci.Verifier) (oci.Verifier, error) {
	key, err := signature.ParsePublicKey(access.KeyName, access.Key)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", access.KeyName, err)
	}
	return keyVerifier{key, policy}, nil
}

// Verify implements oci.Verifier.
func (v keyVerifier) Verify(ctx context.Context, c oci.Candidate) error {
	if v.policy != nil {
		if err := v.policy.Verify(ctx, c); err != nil {
			return err
		}
	}
	err := c.Signatures(ctx, func(list []signature.Signature) error {
		_, err := signature.Verify(list, signature.Subject{Digest: c.Digest}, []signature.PublicKey{v.key})
		return err
	})
	return fail.With(fail.Refused, err)
}
