// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni-build renders an instance of a module.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/buildcmd"
)

func main() { os.Exit(cli.Main(buildcmd.New)) }
