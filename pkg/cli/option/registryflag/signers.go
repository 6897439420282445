// SPDX-License-Identifier: Apache-2.0

package registryflag

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

const trustedRootVariable = "TIMONI_TRUSTED_ROOT"

// Signers are the flags that say who must have signed an artifact.
type Signers struct {
	rule     trust.Rule
	identity trust.Identity
}

// AddTo registers the flags.
func (s *Signers) AddTo(fs *pflag.FlagSet) {
	fs.StringArrayVar(&s.rule.Keys, "key", nil, "`FILE` with a public key (PEM) by which it must be signed; may be repeated, one match is enough")
	fs.StringVar(&s.identity.Subject, "certificate-identity", "", "who signed: the `SUBJECT` of the certificate")
	fs.StringVar(&s.identity.SubjectRegExp, "certificate-identity-regexp", "", "an `EXPRESSION` for the subject")
	fs.StringVar(&s.identity.Issuer, "certificate-oidc-issuer", "", "issuer of the certificate: a `URL`")
	fs.StringVar(&s.identity.IssuerRegExp, "certificate-oidc-issuer-regexp", "", "an `EXPRESSION` for the issuer")
	fs.StringVar(&s.rule.TrustedRoot, "trusted-root", "", "`FILE` with the authorities and logs to trust; default: $"+trustedRootVariable)
}

// Rule returns who must have signed, nil when no flag says so. The error has the
// exit code fail.Usage.
func (s *Signers) Rule(p Process) (*trust.Rule, error) {
	byIdentity := s.identity != trust.Identity{}
	switch {
	case !byIdentity && s.rule.TrustedRoot != "":
		return nil, fail.Usagef("--trusted-root is for identities: --certificate-identity and --certificate-oidc-issuer")
	case !byIdentity && len(s.rule.Keys) == 0:
		return nil, nil
	case !byIdentity:
		return &s.rule, nil
	}
	if err := s.identity.Check(); err != nil {
		return nil, fail.Usagef("--certificate-identity SUBJECT and --certificate-oidc-issuer URL belong together: %w", err)
	}
	if s.rule.TrustedRoot == "" && p != nil {
		s.rule.TrustedRoot = p.Getenv(trustedRootVariable)
	}
	if s.rule.TrustedRoot == "" {
		return nil, fail.Hint(fail.Usagef("required flag is missing: --trusted-root FILE, or %s", trustedRootVariable),
			"'cosign trusted-root create' writes that of the public instance of Sigstore")
	}
	s.rule.Identities = []trust.Identity{s.identity}
	return &s.rule, nil
}

// Require adds to the options of a pull that the artifact must be signed as the
// flags say, in addition to what a policy asks for. keyless is as in Flags.
func (s *Signers) Require(o oci.Options, r *Flags) (oci.Options, error) {
	rule, err := s.Rule(r.Process)
	if err != nil || rule == nil {
		return o, err
	}
	demand := source.Demand{Rule: *rule, Keyless: r.keyless()}
	if o.Verifier != nil {
		o.Verifier = source.All{o.Verifier, demand}
	} else {
		o.Verifier = demand
	}
	return o, nil
}
