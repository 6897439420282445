// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
)

// Demand lets through what is signed as one rule says. It is an oci.Verifier.
type Demand struct {
	Rule    trust.Rule
	Keyless Keyless
}

// Verify returns an error, with the exit code fail.Refused, unless the artifact
// is signed as the rule says.
func (d Demand) Verify(ctx context.Context, c oci.Candidate) error {
	repository := c.Reference.Repository
	claim := Claim{Reference: "oci://" + repository + "@" + c.Digest, Repository: repository, Digest: c.Digest, Rule: d.Rule}
	_, err := claim.Prove(ctx, c, d.Keyless)
	return err
}

// All lets through what each of them does. It is an oci.Verifier.
type All []oci.Verifier

// Verify returns the first error.
func (all All) Verify(ctx context.Context, c oci.Candidate) error {
	for _, v := range all {
		if err := v.Verify(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
