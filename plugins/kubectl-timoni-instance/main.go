// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni-instance lists, inspects and deletes instances.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/instancecmd"
)

func main() { os.Exit(cli.Main(instancecmd.New)) }
