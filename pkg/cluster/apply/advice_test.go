// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/clusteradvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// codeOf returns the exit code that the command line gives an error.
func codeOf(err error) fail.Code { return fail.CodeOf(fail.Advise(err, clusteradvice.For)) }

// hintsOf returns the hints that the command line gives an error.
func hintsOf(err error) []string { return fail.HintsOf(fail.Advise(err, clusteradvice.For)) }
