// SPDX-License-Identifier: Apache-2.0

// Package healthcheck evaluates the health checks of a module on live objects.
package healthcheck

import (
	"fmt"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Check is one of a module's healthChecks.
type Check struct {
	Name, Group, Kind string // an empty kind stands for every kind of the group

	value cue.Value
	text  string // of a check that was kept; its value follows when it is evaluated for the first time
}

// Read returns the checks in the field healthChecks.
func Read(v cue.Value) ([]*Check, error) {
	if !v.Exists() {
		return nil, nil
	}
	fields, err := v.Fields()
	if err != nil {
		return nil, values.Explain(err)
	}
	var checks []*Check
	for fields.Next() {
		c := &Check{Name: fields.Selector().Unquoted(), value: fields.Value()}
		if c.Group, err = c.value.LookupPath(cue.MakePath(cue.Str("group"))).String(); err != nil {
			return nil, values.Explain(err)
		}
		if kind := c.value.LookupPath(cue.MakePath(cue.Str("kind"))); kind.Exists() {
			if c.Kind, err = kind.String(); err != nil {
				return nil, values.Explain(err)
			}
		}
		checks = append(checks, c)
	}
	return checks, nil
}

// For returns the check for an object, nil when there is none: one for its kind
// before one for its whole group.
func For(checks []*Check, o api.Object) *Check {
	var found *Check
	for _, c := range checks {
		if c.Group != o.Group() {
			continue
		}
		if c.Kind == o.Kind() {
			return c
		}
		if c.Kind == "" && found == nil {
			found = c
		}
	}
	return found
}

// Health returns what the check says of a live object. It is not safe for
// concurrent use.
func (c *Check) Health(o api.Object) (api.Health, error) {
	if err := c.compile(); err != nil {
		return "", err
	}
	filled := c.value.FillPath(cue.MakePath(cue.Def("#object")), map[string]any(o))
	for _, verdict := range []struct {
		field  string
		health api.Health
	}{
		{"inProgress", api.HealthInProgress},
		{"failed", api.HealthFailed},
		{"current", api.HealthCurrent},
	} {
		yes, err := isTrue(filled.LookupPath(cue.MakePath(cue.Str(verdict.field))))
		if err != nil {
			return "", fmt.Errorf("health check %q of %s: %s: %w", c.Name, o.ID(), verdict.field, err)
		}
		if yes {
			return verdict.health, nil
		}
	}
	return api.HealthInProgress, nil
}

func isTrue(v cue.Value) (bool, error) {
	if !v.Exists() {
		return false, nil
	}
	// Without Concrete, what is merely incomplete is no error.
	if err := v.Validate(); err != nil {
		return false, values.Explain(err)
	}
	yes, err := v.Bool()
	return yes && err == nil, nil
}

// Conditions returns the conditions that the check says it reads, empty where it
// says none.
func (c *Check) Conditions() (ready, failed string) {
	if c.compile() != nil {
		return "", ""
	}
	text := func(field string) string {
		v, _ := c.value.LookupPath(cue.MakePath(cue.Str(field))).Default()
		s, _ := v.String() // not a string: not said
		return s
	}
	return text("conditionType"), text("failedConditionType")
}
