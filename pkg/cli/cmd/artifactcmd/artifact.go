// SPDX-License-Identifier: Apache-2.0

// Package artifactcmd is the command line of the verbs on registries and what is
// in them.
package artifactcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/keylessflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/keyless"
)

// New returns the command with a subcommand for each verb.
func New(env cli.Env) *cobra.Command {
	return cli.WithAdvice(cli.Group("artifact", "Push, pull, list, tag, sign and verify artifacts in OCI registries",
		newPush(env), newPull(env), newList(env), newTag(env), newDigest(env), newBuild(env), newSign(env), newVerify(env),
		cli.Group("cache", "Look after the cache of what was pulled", newCacheList(env), newCachePrune(env)),
		cli.Group("registry", "Log in to and out of registries", newLogin(env), newLogout(env)),
	), registryadvice.For, keylessflag.Advise)
}

// access is what the commands that reach a registry share.
type access struct {
	env      cli.Env
	registry registryflag.Flags
	output   string
}

func newAccess(env cli.Env) access {
	return access{env: env, registry: registryflag.Flags{Process: env, Keyless: keyless.Verify}}
}

// open parses the reference and reads the credentials.
func (a *access) open(reference string) (ref.Reference, oci.Options, error) {
	r, err := ref.Parse(reference)
	if err != nil {
		return ref.Reference{}, oci.Options{}, err
	}
	options, err := a.registry.Options(a.env.Stdin, cli.UserAgent("artifact"))
	return r, options, err
}
