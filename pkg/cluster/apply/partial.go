// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// unrecorded adds to the error of a record or ledger that could not be written at
// the end of a run that all else was done.
func (p *Plan) unrecorded(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nall objects were applied; the next apply writes what is missing of the record", err)
}

// maxNamed bounds how many objects an error names.
const maxNamed = 10

// partial adds to the error that ended a run which objects it did not reach,
// when others had been written by then: a quota, say, is met by the write and
// not by its dry run. What was written has been told as it happened.
func (p *Plan) partial(err error) error {
	written := 0
	var missing []string
	for _, s := range p.Steps {
		switch {
		case s.Action == event.Unchanged || s.Action == event.Kept:
		case s.fingerprint != "":
			written++
		default:
			missing = append(missing, s.Ref().String())
		}
	}
	if written > 0 && len(missing) == 0 && kube.IsUnreachable(err) {
		return fmt.Errorf("%w\nall objects were applied; whether they are ready is not known", err)
	}
	if written == 0 || len(missing) == 0 {
		return err
	}
	total, rest := written+len(missing), ""
	if more := len(missing) - maxNamed; more > 0 {
		missing, rest = missing[:maxNamed], fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("%w\napplied %d of %d objects; not applied: %s%s", err, written, total, strings.Join(missing, ", "), rest)
}
