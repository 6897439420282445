// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni-mod creates, vets, tests and publishes modules.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/modcmd"
)

func main() { os.Exit(cli.Main(modcmd.New)) }
