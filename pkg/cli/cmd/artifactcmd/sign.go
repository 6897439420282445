// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/keylessflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/signingflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
)

const signLong = `Sign a module or another artifact that is in a registry.

--sign signs with a private key. --sign-keyless signs with an identity: an
authority (Fulcio) gives a certificate for it that is valid for minutes, and a
public log (Rekor) records its use. What they answer is verified against
--trusted-root before the signature is pushed. The identity, such as an e-mail
address or the name of a workflow, stays in the log for everybody to read.

The identity token is that of --identity-token, of the variable SIGSTORE_ID_TOKEN,
of GitHub Actions, or of the file that cosign reads in Kubernetes. To sign in with a
browser is not supported.`

func newSign(env cli.Env) *cobra.Command {
	o := &signer{access: newAccess(env)}
	cmd := &cobra.Command{
		Use: "sign REFERENCE", Short: "Sign an artifact in a registry", Long: signLong,
		Example: cli.Example(env,
			"sign oci://registry.example.com/modules/app:1.0.0 --sign cosign.key",
			"sign oci://ghcr.io/org/app:1.0.0 --sign-keyless --trusted-root trusted_root.json"),
		Args: cli.Args(1, "REFERENCE"), ValidArgsFunction: complete.Operands(o.registry.References),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	o.signing.AddTo(fs)
	o.keyless.AddTo(fs)
	o.registry.AddAccessTo(fs)
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type signer struct {
	access
	signing signingflag.Flag
	keyless keylessflag.Flags
}

func (o *signer) run(ctx context.Context, reference string) (err error) {
	var req artifact.SignRequest
	if req.Reference, req.OCI, err = o.open(reference); err != nil {
		return err
	}
	if req.Reference.IsLocal() {
		return fail.Usagef("%q is a directory: only artifacts in a registry are signed", reference)
	}
	if req.Signing, err = signing(o.env, &o.signing, &o.keyless); err != nil {
		return err
	}
	if req.Key == nil && req.Keyless == nil {
		return fail.Usagef("how to sign is missing: --sign KEY or --sign-keyless")
	}
	signed, err := artifact.Sign(ctx, req)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, signed)
}

// signing returns how the flags say that an artifact is signed.
func signing(env cli.Env, byKey *signingflag.Flag, byIdentity *keylessflag.Flags) (how artifact.Signing, err error) {
	if how.Key, err = byKey.Key(env.LookupEnv, ui.Password(env.Stdin, env.Stderr)); err != nil {
		return how, err
	}
	keyless, err := byIdentity.Signer(env, env.LookupEnv, cli.UserAgent("artifact"))
	switch {
	case err != nil || keyless == nil:
		return how, err
	case how.Key != nil:
		return how, fail.Usagef("--sign and --sign-keyless exclude each other")
	}
	how.Keyless = keyless
	return how, nil
}
