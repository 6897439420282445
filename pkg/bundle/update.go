// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// UpdateRule says how a version or a digest in a file is updated. The zero value
// says nothing.
type UpdateRule struct {
	Range      string // of versions, one of which is taken
	DigestOnly bool   // the version stays, the digest becomes that of its tag
	Never      bool
}

const updatePrefix = "update:"

// UpdateRuleOf returns what an attribute says of updates, if it does.
func UpdateRuleOf(attr *ast.Attribute) (UpdateRule, bool) {
	name, body := attr.Split()
	if name != "timoni" || !strings.HasPrefix(strings.TrimSpace(body), updatePrefix) {
		return UpdateRule{}, false
	}
	rule, err := ParseUpdateRule(body)
	return rule, err == nil
}

// ParseUpdateRule parses what is between the parentheses of the attribute:
// update:semver:RANGE, with or without quotes, update:digest or update:none.
func ParseUpdateRule(body string) (UpdateRule, error) {
	switch rule := strings.TrimPrefix(strings.TrimSpace(body), updatePrefix); {
	case rule == "digest":
		return UpdateRule{DigestOnly: true}, nil
	case rule == "none":
		return UpdateRule{Never: true}, nil
	case strings.HasPrefix(rule, "semver:"):
		within := strings.TrimSpace(strings.TrimPrefix(rule, "semver:"))
		if text, err := strconv.Unquote(within); err == nil {
			within = text // CUE allows no ^ outside a string
		}
		_, err := ref.ParseRange(within)
		return UpdateRule{Range: within}, err
	}
	return UpdateRule{}, fmt.Errorf("@timoni(%s) is not one of @timoni(update:semver:RANGE), @timoni(update:digest), @timoni(update:none)", body)
}
