// SPDX-License-Identifier: Apache-2.0

package saved

import (
	"fmt"
	"strings"
)

// DifferentError refuses a plan that was reviewed, because an apply would do
// something else by now.
type DifferentError struct {
	Lines []string // of objects
	Err   error    // of a run that has met the difference; nil before the first write
}

// maxNamed bounds how many differences an error names.
const maxNamed = 20

func (e *DifferentError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	lines, rest := e.Lines, ""
	if more := len(lines) - maxNamed; more > 0 {
		lines, rest = lines[:maxNamed], fmt.Sprintf("\n  and %d more", more)
	}
	return "the cluster has changed since the plan was made and reviewed:\n  " + strings.Join(lines, "\n  ") + rest
}

// Unwrap returns the error of the run.
func (e *DifferentError) Unwrap() error { return e.Err }

// ClusterError refuses a plan for another cluster.
type ClusterError struct {
	Made, Reached string // the UIDs of the namespaces kube-system
}

func (e *ClusterError) Error() string {
	return fmt.Sprintf("the plan was made for another cluster: the UID of its namespace kube-system is %s, and here it is %s", e.Made, e.Reached)
}

// SecretError refuses to write a plan that holds a secret.
type SecretError struct{ What string }

func (e *SecretError) Error() string {
	return fmt.Sprintf("the plan would hold %s, and a plan is written to a disk", e.What)
}

// FormatError refuses a file of another format.
type FormatError struct{ Format int }

func (e *FormatError) Error() string {
	return fmt.Sprintf("its format is %d, and this version reads format %d only", e.Format, format)
}
