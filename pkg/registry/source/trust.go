// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
)

// Trust lets through what a policy file allows. It is an oci.Verifier.
type Trust struct {
	File    string // the policy
	Keyless Keyless
}

// Keyless checks signatures that were made without a key, and returns who made
// the first that counts.
type Keyless func(context.Context, Claim) (signer string, err error)

// Claim is what the signatures of an artifact are to prove: that it is the one
// with the digest, and signed as a rule says.
type Claim struct {
	Reference  string // oci://host/path@digest
	Repository string // host/path
	Digest     string
	Rule       trust.Rule
	Policy     string // the file that the rule is from, empty when there is none
	Signatures []signature.Signature
}

// Verify returns an error, mostly a *SignatureError, unless the policy lets the
// artifact through. Signatures that cannot be read count as none.
func (t Trust) Verify(ctx context.Context, c oci.Candidate) error {
	claim, err := t.Claim(c.Reference.Repository, c.Digest)
	if err != nil || claim.Rule.Allow == trust.Unsigned {
		return err
	}
	_, err = claim.Prove(ctx, c, t.Keyless)
	return err
}

// Claim returns what the policy asks of an artifact.
func (t Trust) Claim(repository, digest string) (Claim, error) {
	p, err := trust.Read(t.File)
	if err != nil {
		return Claim{}, err
	}
	rule, n := p.For(repository)
	if n == 0 && rule.Allow == "" {
		return Claim{}, &NoRuleError{Policy: t.File, Repository: repository}
	}
	return Claim{
		Reference: "oci://" + repository + "@" + digest, Repository: repository, Digest: digest,
		Rule: rule, Policy: t.File,
	}, nil
}

// Prove asks for the signatures of a candidate and returns who signed it.
func (c Claim) Prove(ctx context.Context, candidate oci.Candidate, keyless Keyless) (signer string, err error) {
	err = candidate.Signatures(ctx, func(list []signature.Signature) error {
		c.Signatures = list
		signer, err = c.Check(ctx, keyless)
		return err
	})
	if _, decided := errors.AsType[*SignatureError](err); err == nil || decided {
		return signer, err
	}
	if isInvalid(err) {
		return "", err // the rule names a file that is no key: nothing was decided
	}
	return "", fail.Refusedf("%s%w", c.origin(), err)
}

// origin says in an error where the rule is from.
func (c Claim) origin() string {
	if c.Policy == "" {
		return ""
	}
	return fmt.Sprintf("policy %s, rule %q: ", c.Policy, c.Rule.Match)
}

// Subject returns what the signatures have to be about.
func (c Claim) Subject() signature.Subject {
	return signature.Subject{Digest: c.Digest, Accepts: func(named string) bool { return c.Rule.Accepts(named, c.Repository) }}
}

// Check returns who made the first of the signatures that counts: the file of
// the key, or the identity.
func (c Claim) Check(ctx context.Context, keyless Keyless) (signer string, err error) {
	var problems []error
	if len(c.Rule.Keys) > 0 {
		var keys []signature.PublicKey
		if keys, err = readKeys(c.Rule.Keys); err != nil {
			return "", err
		}
		var key signature.PublicKey
		key, err = signature.Verify(c.Signatures, c.Subject(), keys)
		if err == nil {
			return key.Name, nil
		}
		problems = append(problems, err)
	}
	switch {
	case len(c.Rule.Identities) == 0:
	case len(c.Signatures) == 0:
		problems = append(problems, signature.ErrUnsigned)
	default:
		signer, err = keyless(ctx, c)
		if err == nil || isInvalid(err) {
			return signer, err
		}
		problems = append(problems, err)
	}
	return "", c.refuse(problems)
}

// refuse returns the error for an artifact whose signatures do not suffice.
func (c Claim) refuse(problems []error) error {
	var wanted, reasons []string
	for _, key := range c.Rule.Keys {
		wanted = append(wanted, filepath.Base(key))
	}
	for _, identity := range c.Rule.Identities {
		wanted = append(wanted, identity.String())
	}
	for _, problem := range problems {
		if text := problem.Error(); len(reasons) == 0 || reasons[0] != text {
			reasons = append(reasons, text)
		}
	}
	return &SignatureError{Origin: c.origin(), Wanted: wanted, Reasons: reasons, Unsigned: len(c.Signatures) == 0, causes: errors.Join(problems...)}
}

// SignatureError refuses an artifact whose signatures do not suffice.
type SignatureError struct {
	Origin   string   // the policy and the rule, empty without a policy
	Wanted   []string // whose signature counts
	Reasons  []string // why none does
	Unsigned bool     // it has no signatures
	causes   error
}

func (e *SignatureError) Error() string {
	return fmt.Sprintf("%sexpected a signature by %s: %s", e.Origin, strings.Join(e.Wanted, " or "), strings.Join(e.Reasons, "; "))
}

// Unwrap returns why no signature counts.
func (e *SignatureError) Unwrap() error { return e.causes }

// NoRuleError refuses an artifact that no rule of the policy is about.
type NoRuleError struct{ Policy, Repository string }

func (e *NoRuleError) Error() string {
	return fmt.Sprintf("policy %s: no rule matches %s", e.Policy, e.Repository)
}

// isInvalid says that nothing was decided: the policy or a key cannot be read.
func isInvalid(err error) bool {
	_, invalid := errors.AsType[*fail.InvalidError](err)
	return invalid
}

// readKeys reads the files with public keys.
func readKeys(files []string) ([]signature.PublicKey, error) {
	keys := make([]signature.PublicKey, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fail.Invalidf("public key: %w", err)
		}
		if keys[i], err = signature.ParsePublicKey(file, data); err != nil {
			return nil, fail.Invalidf("public key %s: %w", file, err)
		}
	}
	return keys, nil
}
