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

// Verify returns an error, with the exit code fail.Refused, unless the policy
// lets the artifact through. Signatures that cannot be read count as none.
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
		return Claim{}, fail.Hint(fail.Refusedf("policy %s: no rule matches %s", t.File, repository),
			"add a rule for it, with the keys of those who sign it")
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
	if _, decided := errors.AsType[*refusal](err); err == nil || decided {
		return signer, err
	}
	if fail.CodeOf(err) == fail.Usage {
		return "", err // the rule names a file that is no key: nothing was decided
	}
	return "", fail.With(fail.Refused, fmt.Errorf("%s%w", c.origin(), err))
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
		if err == nil || fail.CodeOf(err) == fail.Usage {
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
	err := fmt.Errorf("%sexpected a signature by %s: %s", c.origin(), strings.Join(wanted, " or "), strings.Join(reasons, "; "))
	err = fail.With(fail.Refused, &refusal{err, errors.Join(problems...)})
	if len(c.Signatures) == 0 {
		return fail.Hint(err, "the publisher signs it with 'kubectl timoni mod push --sign KEY', or with cosign")
	}
	return fail.Hint(err, "do not use it before you know who made it")
}

// refusal is an error whose text says more than the errors that it wraps.
type refusal struct {
	error
	causes error
}

func (r *refusal) Unwrap() error { return r.causes }

// readKeys reads the files with public keys.
func readKeys(files []string) ([]signature.PublicKey, error) {
	keys := make([]signature.PublicKey, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fail.With(fail.Usage, fmt.Errorf("public key: %w", err))
		}
		if keys[i], err = signature.ParsePublicKey(file, data); err != nil {
			return nil, fail.Usagef("public key %s: %w", file, err)
		}
	}
	return keys, nil
}
