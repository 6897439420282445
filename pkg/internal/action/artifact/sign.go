// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// Keyless makes signatures without a key that is kept. Few binaries have it.
type Keyless interface {
	// Sign returns a bundle and the identity that signed.
	Sign(ctx context.Context, repository, digest string) (bundle []byte, signer string, err error)
}

// Signing says how an artifact is signed: by a key, by an identity, or not.
type Signing struct {
	Key     oci.Signer
	Keyless Keyless
}

// sign signs the artifact with the digest in the repository of r. It returns the
// identity, which only keyless signing has.
func (s Signing) sign(ctx context.Context, r ref.Reference, digest string, o oci.Options) (signer string, err error) {
	if s.Key != nil {
		_, err = oci.Sign(ctx, r, digest, s.Key, o)
		return "", err
	}
	bundle, signer, err := s.Keyless.Sign(ctx, r.Repository, digest)
	if err != nil {
		return "", fmt.Errorf("sign %s@%s: %w", r.Source(), digest, err)
	}
	return signer, oci.AddBundle(ctx, r, digest, bundle, o)
}

// after signs what was pushed when that was asked for.
func (s Signing) after(ctx context.Context, done oci.Pushed, target ref.Reference, tags []string, o oci.Options) (Pushed, error) {
	pushed := Pushed{
		Repository: target.Source(), Tags: tags, Digest: done.Digest,
		Unchanged: done.Unchanged, Attached: attached(done.Documents),
	}
	if s.Key == nil && s.Keyless == nil {
		return pushed, nil
	}
	var err error
	if pushed.Signer, err = s.sign(ctx, target, done.Digest, o); err != nil {
		return Pushed{}, fail.Hint(err, "%s is pushed, but not signed: push it again", target)
	}
	pushed.Signed = true
	return pushed, nil
}

// SignRequest names an artifact in a registry and says how it is signed.
type SignRequest struct {
	Reference ref.Reference
	OCI       oci.Options
	Signing
}

// Signed says what was signed.
type Signed struct {
	Reference string `json:"reference"` // oci://host/path@digest
	Digest    string `json:"digest"`
	Signer    string `json:"signer,omitempty"` // the identity, without a key
}

// String returns the line for a person.
func (s Signed) String() string { return "signed " + s.Reference + by(s.Signer) }

// by names the signer in a line for a person.
func by(signer string) string {
	if signer == "" {
		return ""
	}
	return " by " + signer
}

// Sign signs what is in a registry already.
func Sign(ctx context.Context, req SignRequest) (Signed, error) {
	digest, err := oci.Digest(ctx, req.Reference, req.OCI)
	if err != nil {
		return Signed{}, err
	}
	signer, err := req.sign(ctx, req.Reference, digest, req.OCI)
	return Signed{Reference: req.Reference.Source() + "@" + digest, Digest: digest, Signer: signer}, err
}
