// SPDX-License-Identifier: Apache-2.0

// Package keylessflag holds the flags that sign without a key. It is apart because
// one binary alone does so.
package keylessflag

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/keyless"
)

// Flags are the flags that sign without a key.
type Flags struct {
	on      bool
	token   string
	options keyless.Options
}

// AddTo registers the flags.
func (f *Flags) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&f.on, "sign-keyless", false, "sign with an identity instead of a key, as cosign does")
	fs.StringVar(&f.token, "identity-token", "", "`TOKEN` of the identity, a file with it, or env://NAME; default: that of the CI system")
	fs.StringVar(&f.options.Fulcio, "fulcio-url", keyless.PublicFulcio, "`URL` of the certificate authority")
	fs.StringVar(&f.options.Rekor, "rekor-url", keyless.PublicRekor, "`URL` of the transparency log")
	registryflag.AddTrustedRootTo(fs, &f.options.TrustedRoot)
}

// Signer returns what signs, nil when keyless signing was not asked for. It
// asks no server.
func (f *Flags) Signer(p registryflag.Process, lookupEnv func(string) (string, bool), userAgent string) (*keyless.Signer, error) {
	if !f.on {
		if f.token != "" {
			return nil, fail.Usagef("--identity-token is for --sign-keyless")
		}
		return nil, nil
	}
	var err error
	if f.options.TrustedRoot, err = registryflag.TrustedRoot(f.options.TrustedRoot, p); err != nil {
		return nil, err
	}
	f.options.UserAgent = userAgent
	if f.options.Token, err = keyless.FindToken(f.token, userAgent, lookupEnv); err != nil {
		return nil, err
	}
	return keyless.NewSigner(f.options)
}

// Advise is a fail.Adviser about what package keyless answers.
func Advise(err error) fail.Advice {
	switch err { //nolint:errorlint // an adviser looks at one error
	case keyless.ErrNoToken:
		return fail.Advice{Hint: "name one with --identity-token TOKEN|FILE|env://NAME; to sign in with a browser is not supported, use 'cosign sign' for that"}
	case keyless.ErrNotPermitted:
		return fail.Advice{Hint: "add to the job: 'permissions: {id-token: write}'"}
	}
	if _, ok := err.(*keyless.RejectedError); ok { //nolint:errorlint // an adviser looks at one error
		return fail.Advice{Hint: "name the trusted root of these services with --trusted-root FILE, or the services with --fulcio-url and --rekor-url"}
	}
	return fail.Advice{}
}
