// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// advised returns an error with the exit code and the hints of the command line.
func advised(err error) error { return fail.Advise(err, registryadvice.For) }
