// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni is the front door of the kubectl plugin: help,
// version, doctor and completion, and the way to every other verb.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/frontdoor"
)

func main() { os.Exit(cli.Main(frontdoor.New)) }
