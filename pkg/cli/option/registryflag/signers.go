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
	AddTrustedRootTo(fs, &s.rule.TrustedRoot)
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
	var err error
	if s.rule.TrustedRoot, err = TrustedRoot(s.rule.TrustedRoot, p); err != nil {
		return nil, err
	}
	s.rule.Identities = []trust.Identity{s.identity}
	return &s.rule, nil
}

// AddTrustedRootTo registers the flag that TrustedRoot takes the value of.
func AddTrustedRootTo(fs *pflag.FlagSet, file *string) {
	fs.StringVar(file, "trusted-root", "", "`FILE` with the authorities and logs to trust; default: $"+trustedRootVariable)
}

// TrustedRoot returns the file that the flag or the environment names.
func TrustedRoot(file string, p Process) (string, error) {
	if file == "" && p != nil {
		file = p.Getenv(trustedRootVariable)
	}
	if file == "" {
		return "", fail.Hint(fail.Usagef("required flag is missing: --trusted-root FILE, or %s", trustedRootVariable),
			"'cosign trusted-root create' writes that of the public instance of Sigstore")
	}
	return file, nil
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
