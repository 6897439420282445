// SPDX-License-Identifier: Apache-2.0

// Package modcmd is the command line of a module's author.
package modcmd

import (
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
)

// New returns the command with a subcommand for each verb.
func New(env cli.Env) *cobra.Command {
	return cli.WithAdvice(cli.Group("mod", "Create, vet, test and publish modules",
		newFmt(env),
		newVendor(env),
		newInit(env),
		newPush(env),
		newPull(env),
		newList(env),
		newBuild(env),
		newShow(env),
		newValues(env),
		newTest(env),
		newVet(env),
		newDev(env),
		newCEL(env),
	), registryadvice.For, moduleadvice.For, advise)
}

// advise is the adviser for the errors of packing.
func advise(err error) fail.Advice {
	if _, ok := err.(*artifact.NoVersionError); ok { //nolint:errorlint // an adviser looks at one error
		return fail.Advice{Code: fail.Usage, Hint: "give it with --version 1.2.3"}
	}
	return fail.Advice{}
}
