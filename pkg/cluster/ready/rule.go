// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// WaitRule is what the user wants to hold of objects before they count as
// ready, in addition to the rules of their kind. An object that a rule is about is
// not ready as long as it says nothing.
type WaitRule struct {
	api.Target
	text string
	name string // in errors, empty for the text

	condition, status string // the condition type, and the status that it is to have
	path              string // or a JSONPath expression, and the value that it is to give
	value             string // empty: any value
	expression        string // or a CEL expression, which is to be true
}

// Expressions evaluates CEL expressions about objects.
type Expressions interface {
	// Compile returns what is wrong with an expression.
	Compile(expression string) error
	// Holds says whether an expression is true of an object. When the object has
	// not all that the expression asks for, it does not hold, and lack says what
	// is missing.
	Holds(expression string, object api.Object) (holds bool, lack string, err error)
}

// String returns the rule as ParseWaitRule reads it.
func (r WaitRule) String() string { return r.text }

// Named returns the rule under another name in errors and warnings, such as the
// flag that it comes from.
func (r WaitRule) Named(name string) WaitRule {
	r.name = name
	return r
}

// Name is what the rule is called in errors.
func (r WaitRule) Name() string { return cmp.Or(r.name, r.text) }

// HasExpression says whether the rule is one in CEL.
func (r WaitRule) HasExpression() bool { return r.expression != "" }

// Compile returns what is wrong with the rule's expression, if it has one.
func (r WaitRule) Compile(e Expressions) error {
	if !r.HasExpression() {
		return nil
	}
	if err := e.Compile(r.expression); err != nil {
		return r.error(err)
	}
	return nil
}

func (r WaitRule) error(err error) error { return fmt.Errorf("%s: %w", r.Name(), err) }

// ParseWaitRule reads TARGET=CHECK, where CHECK is one of kubectl wait's
// condition=TYPE[=STATUS] and jsonpath=EXPRESSION[=VALUE], cel=EXPRESSION, or a
// TYPE alone. The error is a *fail.InvalidError.
func ParseWaitRule(text string) (WaitRule, error) {
	object, check, found := strings.Cut(text, "=")
	if !found || check == "" {
		return WaitRule{}, fail.Invalidf("it has to be KIND=CONDITION, KIND/NAME=condition=TYPE=STATUS, KIND=jsonpath=EXPRESSION=VALUE or KIND=cel=EXPRESSION")
	}
	target, err := api.ParseTarget(object)
	if err != nil {
		return WaitRule{}, err
	}
	rule := WaitRule{Target: target, text: text}
	if expression, isPath := strings.CutPrefix(check, "jsonpath="); isPath {
		rule.path, rule.value = splitPath(expression)
		if _, err := rule.values(api.Object{}); err != nil {
			return WaitRule{}, fail.Invalidf("JSONPath expression %q: %w", rule.path, err)
		}
		return rule, nil
	}
	if expression, isCEL := strings.CutPrefix(check, "cel="); isCEL {
		if strings.TrimSpace(expression) == "" {
			return WaitRule{}, fail.Invalidf("expected a CEL expression after cel=, for example self.status.phase == \"Ready\"")
		}
		rule.expression = expression
		return rule, nil
	}
	rule.condition, rule.status, found = strings.Cut(strings.TrimPrefix(check, "condition="), "=")
	if !found {
		rule.status = "True"
	}
	if rule.condition == "" || rule.status == "" || strings.Contains(rule.status, "=") {
		return WaitRule{}, fail.Invalidf("invalid condition %q: want TYPE or TYPE=STATUS", check)
	}
	return rule, nil
}

// splitPath splits a JSONPath expression, with braces or without, from the value
// that follows.
func splitPath(text string) (path, value string) {
	if end := strings.LastIndex(text, "}"); strings.HasPrefix(text, "{") && end > 0 {
		return text[:end+1], strings.TrimPrefix(text[end+1:], "=")
	}
	path, value, _ = strings.Cut(text, "=")
	return "{." + strings.TrimPrefix(path, ".") + "}", value
}

// holds says whether the rule holds of an object, and if not, what it lacks,
// without a word of what is in a Secret.
func (r WaitRule) holds(live api.Object, e Expressions) (lack string, err error) {
	lack, err = r.check(live, e)
	if live.IsSecret() && err != nil {
		return "", r.error(errors.New("it cannot be evaluated; what is wrong might quote the Secret"))
	}
	if live.IsSecret() && lack != "" {
		return fmt.Sprintf("%s does not hold", r.Name()), nil
	}
	return lack, err
}

// check is holds that quotes the object. What was written about an earlier
// generation of the object does not count.
func (r WaitRule) check(live api.Object, e Expressions) (lack string, err error) {
	if isStale(live, live["status"]) {
		return "its status is about an earlier generation", nil
	}
	switch {
	case r.path != "":
		return r.holdsPath(live)
	case r.expression != "":
		return r.holdsExpression(live, e)
	}
	conditions, _, _ := unstructured.NestedSlice(live, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if !strings.EqualFold(fmt.Sprint(condition["type"]), r.condition) {
			continue
		}
		if !strings.EqualFold(fmt.Sprint(condition["status"]), r.status) || isStale(live, condition) {
			lack = fmt.Sprintf("condition %s is not %s", r.condition, r.status)
			if message, _ := condition["message"].(string); message != "" {
				lack += ": " + message
			}
			return lack, nil
		}
		return "", nil
	}
	return fmt.Sprintf("it has no condition %s", r.condition), nil
}

// isStale says whether a status or a condition names an earlier generation than
// the object has.
func isStale(live api.Object, of any) bool {
	seen, _ := of.(map[string]any)
	observed, isSet, _ := unstructured.NestedInt64(seen, "observedGeneration")
	generation, _, _ := unstructured.NestedInt64(live, "metadata", "generation")
	return isSet && observed < generation
}

func (r WaitRule) holdsPath(live api.Object) (string, error) {
	values, err := r.values(live)
	switch {
	case err != nil:
		return "", r.error(err)
	case len(values) == 0:
		return fmt.Sprintf("%s gives nothing", r.path), nil
	case len(values) > 1:
		return fmt.Sprintf("%s gives %d values", r.path, len(values)), nil
	case r.value != "" && values[0] != r.value:
		return fmt.Sprintf("%s is %q, not %q", r.path, values[0], r.value), nil
	}
	return "", nil
}

func (r WaitRule) holdsExpression(live api.Object, e Expressions) (string, error) {
	holds, lack, err := e.Holds(r.expression, live)
	switch {
	case err != nil:
		return "", r.error(err)
	case lack != "":
		return fmt.Sprintf("%s: %s", r.expression, lack), nil
	case !holds:
		return fmt.Sprintf("%s is false", r.expression), nil
	}
	return "", nil
}

// values returns what the rule's expression gives for an object, as texts.
func (r WaitRule) values(live api.Object) ([]string, error) {
	parser := jsonpath.New("wait-for").AllowMissingKeys(true)
	if err := parser.Parse(r.path); err != nil {
		return nil, err
	}
	results, err := parser.FindResults(map[string]any(live))
	if err != nil {
		return nil, err
	}
	var values []string
	for _, list := range results {
		for _, v := range list {
			if v.IsValid() && v.CanInterface() && v.Interface() != nil {
				values = append(values, fmt.Sprint(v.Interface()))
			}
		}
	}
	return values, nil
}

// RulesFor returns the rules about an object.
func RulesFor(rules []WaitRule, o event.Object) []WaitRule {
	var about []WaitRule
	for _, r := range rules {
		if r.Selects(o) {
			about = append(about, r)
		}
	}
	return about
}
