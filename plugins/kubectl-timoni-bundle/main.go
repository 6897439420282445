// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni-bundle builds, applies, compares and deletes the
// instances of bundles.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/applycmd"
)

func main() { os.Exit(cli.Main(applycmd.NewBundle)) }
