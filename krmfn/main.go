// SPDX-License-Identifier: Apache-2.0

// Command timoni-krm is the KRM function that renders modules.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/krmcmd"
)

func main() { os.Exit(cli.Main(krmcmd.New)) }
