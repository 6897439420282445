// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/verify"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
)

const verifyLong = `Print who signed an artifact, and exit with 5 unless the signer is accepted.

--key, an identity with its issuer, or the policy file say which signers are
accepted. Signatures are Cosign's in the registry, or the one in a bundle.
Keyless signatures need --trusted-root, the file with the authorities and logs to
trust ('cosign trusted-root create' writes one); no other service is asked. An
expression must match the whole text.`

func newVerify(env cli.Env) *cobra.Command {
	o := &verifying{access: newAccess(env)}
	cmd := &cobra.Command{
		Use: "verify REFERENCE", Short: "Print who signed an artifact", Long: verifyLong,
		Example: cli.Example(env,
			"verify oci://registry.example.com/modules/app:1.0.0 --key cosign.pub",
			"verify oci://ghcr.io/org/app:1.0.0 --trusted-root trusted_root.json \\\n"+
				"    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\\n"+
				"    --certificate-identity-regexp 'https://github.com/org/app/.*'"),
		Args: cli.Args(1, "REFERENCE"), ValidArgsFunction: complete.Operands(o.registry.References),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	o.signers.AddTo(fs)
	fs.StringVar(&o.bundle, "bundle", "", "`FILE` with the signature, instead of those in the registry")
	fs.StringVar(&o.signatures, "signatures", "", "")
	fs.Lookup("signatures").Hidden = true // what the other binaries ask with
	o.registry.AddTo(fs)
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type verifying struct {
	access
	signers            registryflag.Signers
	bundle, signatures string
}

func (o *verifying) run(ctx context.Context, reference string) error {
	req := verify.Request{Policy: o.registry.PolicyFile()}
	if err := o.who(&req); err != nil {
		return err
	}
	var err error
	if req.Reference, req.OCI, err = o.open(reference); err != nil {
		return err
	}
	if req.Reference.IsLocal() {
		return fail.Usagef("%q is a directory: only artifacts in a registry are signed", reference)
	}
	if o.bundle != "" {
		if req.Bundle, err = os.ReadFile(o.bundle); err != nil {
			return fail.With(fail.Usage, fmt.Errorf("bundle: %w", err))
		}
	}
	verified, err := o.verify(ctx, req)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, verified)
}

// who turns the flags into a rule, unless the policy is to say who must sign.
func (o *verifying) who(req *verify.Request) (err error) {
	if req.Rule, err = o.signers.Rule(o.env); err == nil && req.Rule == nil && req.Policy == "" {
		err = fail.Usagef("who must have signed is missing: --key FILE, --certificate-identity SUBJECT or --policy FILE")
	}
	return err
}

func (o *verifying) verify(ctx context.Context, req verify.Request) (verify.Verified, error) {
	if o.signatures == "" {
		return verify.Artifact(ctx, req)
	}
	const longest = 256 << 20 // more than package oci reads of signatures
	var given []signature.Signature
	if err := json.NewDecoder(io.LimitReader(o.env.Stdin, longest)).Decode(&given); err != nil {
		return verify.Verified{}, fail.Usagef("--signatures: %w", err)
	}
	return verify.Answer(ctx, req, given)
}
