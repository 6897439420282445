// SPDX-License-Identifier: Apache-2.0

// Package keyless makes and checks signatures without a key that is kept: with a
// certificate for an identity that was valid for minutes, and the record of a
// log or a clock that it was used within them. To check them asks no server.
package keyless

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Verify is a source.Keyless: it returns the identity that made the first of
// the signatures which counts.
func Verify(_ context.Context, c source.Claim) (signer string, err error) {
	verifier, err := newVerifier(c.Rule.TrustedRoot)
	if err != nil {
		return "", err
	}
	identities, err := identitiesOf(c.Rule.Identities)
	if err != nil {
		return "", err
	}
	var reasons []string
	for _, s := range c.Signatures {
		signer, err = check(verifier, identities, s, c.Subject())
		if err == nil {
			return signer, nil
		}
		reasons = append(reasons, err.Error())
	}
	return "", signature.Reject(len(c.Signatures), reasons)
}

func newVerifier(file string) (*verify.Verifier, error) {
	trusted, err := readTrustedRoot(file)
	if err != nil {
		return nil, err
	}
	return verifierOf(trusted)
}

func readTrustedRoot(file string) (*root.TrustedRoot, error) {
	trusted, err := root.NewTrustedRootFromPath(file)
	if err != nil {
		return nil, fail.Invalidf("trusted root %s: %w", file, err)
	}
	return trusted, nil
}

// verifierOf asks for all that the trusted root can verify: a certificate
// that was logged when it names logs of certificates, and a signature that was
// logged when it names logs of signatures; for a time in any case.
func verifierOf(trusted *root.TrustedRoot) (*verify.Verifier, error) {
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if len(trusted.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if len(trusted.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	return verify.NewVerifier(trusted, options...)
}

func identitiesOf(list []trust.Identity) ([]verify.PolicyOption, error) {
	var options []verify.PolicyOption
	for _, i := range list {
		identity, err := verify.NewShortCertificateIdentity(i.Issuer, whole(i.IssuerRegExp), i.Subject, whole(i.SubjectRegExp))
		if err != nil {
			return nil, fail.Invalid(err)
		}
		options = append(options, verify.WithCertificateIdentity(identity))
	}
	return options, nil
}

// whole makes an expression match the whole of a text or nothing of it.
func whole(expression string) string {
	if expression == "" {
		return ""
	}
	return "^(?:" + expression + ")$"
}

// check returns who made one signature.
func check(verifier *verify.Verifier, identities []verify.PolicyOption, s signature.Signature, subject signature.Subject) (string, error) {
	entity, signed, err := entityOf(s, subject.Digest)
	if err != nil {
		return "", err
	}
	result, err := verifier.Verify(entity, verify.NewPolicy(verify.WithArtifactDigest("sha256", signed), identities...))
	if err != nil {
		return "", short(err)
	}
	if s.Bundle == nil {
		err = signature.CheckPayload(s.Payload, subject)
	} else {
		err = checkContent(result, subject)
	}
	if err != nil {
		return "", err
	}
	certificate := result.Signature.Certificate
	return certificate.SubjectAlternativeName + " (" + certificate.Issuer + ")", nil
}

// checkContent checks what a bundle holds: a statement, or nothing but a
// signature of the artifact, which names no repository.
func checkContent(result *verify.VerificationResult, subject signature.Subject) error {
	if result.Statement == nil {
		return subject.Check("")
	}
	if kind := result.Statement.GetPredicateType(); kind != signature.PredicateType {
		return fmt.Errorf("one is a statement of type %q", kind)
	}
	for _, about := range result.Statement.GetSubject() {
		if "sha256:"+about.GetDigest()["sha256"] == subject.Digest {
			return subject.Check(about.GetName())
		}
	}
	return errors.New("one signs another artifact")
}

// entityOf returns a signature in the library's form and the digest of what it
// signs: the artifact, or the payload that speaks of the artifact.
func entityOf(s signature.Signature, digest string) (*bundle.Bundle, []byte, error) {
	if s.Bundle == nil {
		if s.Certificate == "" {
			return nil, nil, errors.New("one was made with a key")
		}
		entity, err := legacyBundle(s)
		sum := sha256.Sum256(s.Payload)
		return entity, sum[:], err
	}
	var entity bundle.Bundle
	if err := entity.UnmarshalJSON(s.Bundle); err != nil {
		return nil, nil, errors.New("one is a bundle that cannot be read")
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	return &entity, sum, err
}

// short returns an error on one line of bounded length: parts of its text are
// from the registry.
func short(err error) error {
	const longest = 200
	text := strings.Join(strings.Fields(err.Error()), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return errors.New(text)
}
