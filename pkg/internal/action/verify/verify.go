// SPDX-License-Identifier: Apache-2.0

// Package verify holds the verb that says who signed an artifact. It alone
// links what signatures without a key take.
package verify

import (
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/keyless"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Request names an artifact and says by whom it must be signed.
type Request struct {
	Reference ref.Reference
	OCI       oci.Options
	Rule      *trust.Rule // by whom; nil: the policy says
	Policy    string      // the file of the policy
	Bundle    []byte      // the signature, when it is not the registry's that count
}

// Verified says who signed an artifact.
type Verified struct {
	Reference string `json:"reference"` // oci://host/path@digest
	Digest    string `json:"digest"`
	Signer    string `json:"signer,omitempty"` // empty when the policy asks for no signature
}

// String returns the line for a person.
func (v Verified) String() string {
	if v.Signer == "" {
		return fmt.Sprintf("allowed %s: the policy asks for no signature", v.Reference)
	}
	return fmt.Sprintf("verified %s: signed by %s", v.Reference, v.Signer)
}

// Artifact returns who signed an artifact. That no trusted identity did is an
// error with the exit code fail.Refused.
func Artifact(ctx context.Context, req Request) (Verified, error) {
	v, err := req.verify(ctx)
	if err != nil {
		return Verified{}, fmt.Errorf("verify %s: %w", req.Reference, err)
	}
	return v, nil
}

func (req Request) verify(ctx context.Context) (Verified, error) {
	candidate := oci.Candidate{Reference: req.Reference, Digest: req.Reference.Digest}
	if req.Bundle == nil || req.Reference.Digest == "" {
		var err error
		if candidate, err = oci.Lookup(ctx, req.Reference, req.OCI); err != nil {
			return Verified{}, err
		}
	}
	claim, err := req.claim(candidate.Digest)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Reference: claim.Reference, Digest: claim.Digest}
	switch {
	case claim.Rule.Allow == trust.Unsigned:
	case req.Bundle != nil:
		claim.Signatures = []signature.Signature{{Bundle: req.Bundle}}
		v.Signer, err = claim.Check(ctx, keyless.Verify)
	default:
		v.Signer, err = claim.Prove(ctx, candidate, keyless.Verify)
	}
	return v, err
}

func (req Request) claim(digest string) (source.Claim, error) {
	if req.Rule == nil {
		return source.Trust{File: req.Policy}.Claim(req.Reference.Repository, digest)
	}
	return source.Claim{Reference: req.Reference.Source() + "@" + digest, Repository: req.Reference.Repository, Digest: digest, Rule: *req.Rule}, nil
}

// Answer is what another binary of the set asks for with source.Sibling: who of
// the identities in the policy made one of the given signatures.
func Answer(ctx context.Context, req Request, given []signature.Signature) (Verified, error) {
	claim, err := req.claim(req.Reference.Digest)
	if err != nil {
		return Verified{}, err
	}
	if len(claim.Rule.Identities) == 0 {
		return Verified{}, fail.Refusedf("the policy names no identities for %s", req.Reference)
	}
	claim.Signatures = given
	signer, err := keyless.Verify(ctx, claim)
	return Verified{Reference: claim.Reference, Digest: claim.Digest, Signer: signer}, fail.With(fail.Refused, err)
}
