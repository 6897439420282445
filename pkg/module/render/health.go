// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"fmt"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// healthCheck is one of the module's healthChecks.
type healthCheck struct {
	name, group, kind string // an empty kind stands for every kind of the group
	value             cue.Value
}

func readChecks(v cue.Value) ([]healthCheck, error) {
	if !v.Exists() {
		return nil, nil
	}
	fields, err := v.Fields()
	if err != nil {
		return nil, values.Explain(err)
	}
	var checks []healthCheck
	for fields.Next() {
		c := healthCheck{name: fields.Selector().Unquoted(), value: fields.Value()}
		if c.group, err = c.value.LookupPath(cue.MakePath(cue.Str("group"))).String(); err != nil {
			return nil, values.Explain(err)
		}
		if kind := c.value.LookupPath(cue.MakePath(cue.Str("kind"))); kind.Exists() {
			if c.kind, err = kind.String(); err != nil {
				return nil, values.Explain(err)
			}
		}
		checks = append(checks, c)
	}
	return checks, nil
}

// Health evaluates the module's health check for a live object. known is false
// when the module has none for its kind or group. An expression that is not
// complete, because the object lacks a field, counts as false; any other error
// of the evaluation is returned, and that a limit of the rendering was passed.
// It is safe for concurrent use.
func (r *Result) Health(o api.Object) (health api.Health, known bool, err error) {
	c, known := r.checkFor(o)
	if !known {
		return "", false, nil
	}
	health, err = bounded(context.Background(), r.limits, fmt.Sprintf("health check %q of %s", c.name, o.ID()), func(*stage) (api.Health, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return c.health(o)
	})
	return health, true, err
}

func (c healthCheck) health(o api.Object) (api.Health, error) {
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
			return "", fmt.Errorf("health check %q of %s: %s: %w", c.name, o.ID(), verdict.field, err)
		}
		if yes {
			return verdict.health, nil
		}
	}
	return api.HealthInProgress, nil
}

// Condition names the conditions that a health check of
// #HealthCheckForCondition reads.
type Condition struct{ Ready, Failed string }

// HealthCondition returns the name of the module's health check for an object,
// empty when it has none, and the conditions that it says it reads, zero when
// it says none.
func (r *Result) HealthCondition(o api.Object) (check string, c Condition) {
	found, known := r.checkFor(o)
	if !known {
		return "", Condition{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text := func(field string) string {
		v, _ := found.value.LookupPath(cue.MakePath(cue.Str(field))).Default()
		s, _ := v.String() // not a string: not said
		return s
	}
	return found.name, Condition{Ready: text("conditionType"), Failed: text("failedConditionType")}
}

// checkFor returns the check for an object: one for its kind before one for
// its whole group.
func (r *Result) checkFor(o api.Object) (healthCheck, bool) {
	var found healthCheck
	known := false
	for _, c := range r.checks {
		if c.group != o.Group() {
			continue
		}
		if c.kind == o.Kind() {
			return c, true
		}
		if c.kind == "" && !known {
			found, known = c, true
		}
	}
	return found, known
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
