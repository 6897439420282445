// SPDX-License-Identifier: Apache-2.0

// Command kubectl-timoni-artifact pushes, pulls and lists artifacts in OCI
// registries and logs in to them.
package main

import (
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/artifactcmd"
)

func main() { os.Exit(cli.Main(artifactcmd.New)) }
