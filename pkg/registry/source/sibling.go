// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Sibling is the Keyless of the binaries that do not link what it takes: it
// gives the signatures to 'kubectl-timoni-artifact verify', which decides by
// the same policy file, or the same identity, and asks no server. find returns
// the path of that binary.
func Sibling(find func() (string, error)) Keyless {
	return func(ctx context.Context, c Claim) (string, error) {
		path, err := find()
		if err != nil {
			return "", err
		}
		signatures, err := json.Marshal(c.Signatures)
		if err != nil {
			return "", err
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(ctx, path, append([]string{"verify", c.Reference, "--signatures", "-", "-o", "json"}, c.demand()...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(signatures), &stdout, &stderr
		if err = cmd.Run(); err != nil {
			return "", childError(path, err, stderr.String())
		}
		var answer struct {
			Reference string `json:"reference"`
			Signer    string `json:"signer"`
		}
		if err = json.Unmarshal(stdout.Bytes(), &answer); err != nil || answer.Reference != c.Reference || answer.Signer == "" {
			return "", fmt.Errorf("%s answers something else than it was asked", path)
		}
		return answer.Signer, nil
	}
}

// demand returns the flags by which the child decides.
func (c Claim) demand() []string {
	if c.Policy != "" || len(c.Rule.Identities) != 1 {
		return []string{"--policy=" + c.Policy}
	}
	args, identity := []string{"--trusted-root=" + c.Rule.TrustedRoot}, c.Rule.Identities[0]
	for _, f := range []struct{ name, value string }{
		{"certificate-identity", identity.Subject}, {"certificate-identity-regexp", identity.SubjectRegExp},
		{"certificate-oidc-issuer", identity.Issuer}, {"certificate-oidc-issuer-regexp", identity.IssuerRegExp},
	} {
		if f.value != "" {
			args = append(args, "--"+f.name+"="+f.value)
		}
	}
	return args
}

// childError returns what the child had to say.
func childError(path string, err error, stderr string) error {
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "error: "); ok {
			return fail.Refuse(errors.New(text))
		}
	}
	return fmt.Errorf("run %s: %w", path, err)
}
