// SPDX-License-Identifier: Apache-2.0

package saved

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Compare returns a *DifferentError when the changes are others than those that
// were reviewed.
func (c Changes) Compare(now Changes) error {
	known := map[api.ID]reviewed.Step{}
	for _, s := range c.Steps {
		known[api.IDOf(s.Object)] = s
	}
	var lines []string
	for _, s := range now.Steps {
		id := api.IDOf(s.Object)
		old, ok := known[id]
		delete(known, id)
		switch text := old.Differs(s); {
		case !ok:
			lines = append(lines, fmt.Sprintf("%s: it is not in the plan, and would be %s now", s.Object, s.Action))
		case text != "":
			lines = append(lines, fmt.Sprintf("%s: %s", s.Object, text)+details(c.find(id), now.find(id)))
		}
	}
	for _, s := range slices.Collect(maps.Values(known)) {
		lines = append(lines, fmt.Sprintf("%s: it was to be %s, and does not exist now", s.Object, s.Action))
	}
	if lines == nil {
		return nil
	}
	slices.Sort(lines)
	return &DifferentError{Lines: lines}
}

func (c Changes) find(id api.ID) Difference {
	i := slices.IndexFunc(c.Differences, func(d Difference) bool { return api.IDOf(d.Object) == id })
	if i < 0 {
		return Difference{}
	}
	return c.Differences[i]
}

// maxDetails bounds how many fields of an object an error names.
const maxDetails = 5

// details names the fields in which the states of an object differ from those
// that were reviewed.
func details(reviewed, now Difference) string {
	if reviewed.Action != now.Action {
		return ""
	}
	var texts []string
	for _, pair := range [][2]api.Object{{reviewed.Before, now.Before}, {reviewed.After, now.After}} {
		for _, change := range delta.Compare(pair[0], pair[1]) {
			texts = append(texts, describe(change))
		}
		if texts != nil {
			break
		}
	}
	rest := ""
	if more := len(texts) - maxDetails; more > 0 {
		texts, rest = texts[:maxDetails], fmt.Sprintf(" and %d more", more)
	}
	if texts == nil {
		return ""
	}
	return ": " + strings.Join(texts, ", ") + rest
}

// describe names a field, and its values where nothing of them was masked.
func describe(c delta.Change) string {
	old, next := fmt.Sprint(c.Old), fmt.Sprint(c.New)
	if strings.Contains(old+next, mask.Hidden) || mask.IsSecret(c.Path) || len(old)+len(next) > 80 {
		return c.Path
	}
	switch {
	case c.Old == nil:
		return fmt.Sprintf("%s is added", c.Path)
	case c.New == nil:
		return fmt.Sprintf("%s is removed", c.Path)
	}
	return fmt.Sprintf("%s was %s and is %s", c.Path, old, next)
}
