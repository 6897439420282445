// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// warnUnknown reports what is kept although it would be deleted if the server
// answered.
func (e *Engine) warnUnknown(steps []*Step) {
	for _, s := range unknownAmong(steps) {
		e.observe(event.Warning{Text: fmt.Sprintf("%s is kept: %s", s.Ref(), s.Unknown)})
	}
}

// keepInInventory leaves what is kept as unknown in the inventory, for a later
// run to delete.
func (p *Plan) keepInInventory() {
	for _, s := range unknownAmong(p.Prune) {
		p.instance.Inventory.Entries = append(p.instance.Inventory.Entries, s.Object.ID().Entry(s.Object.Version()))
	}
}

func unknownAmong(steps []*Step) []*Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s *Step) bool { return s.Unknown == "" })
}

// unknownError returns an error that names what was kept as unknown, nil when
// nothing was.
func unknownError(steps []*Step) error {
	unknown := unknownAmong(steps)
	if len(unknown) == 0 {
		return nil
	}
	names := make([]string, len(unknown))
	for i, s := range unknown {
		names[i] = s.Ref().String()
	}
	slices.Sort(names)
	return &UnansweredError{Objects: names}
}
