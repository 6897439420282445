// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// masked stands for what must not be shown.
const masked = "***"

// shortestMasked is how long a value is for which other text is searched: a
// shorter one is not known to be it, and masking it would garble the text.
const shortestMasked = 4

// Mask returns a function that masks, in a text, the values of those sources
// that are secret, wherever the text has them from: as they are, in quotes or
// in base64. It is quick where none is.
func Mask(sources []Source) func(string) string {
	var found []string
	for _, s := range sources {
		if !s.Secret {
			continue
		}
		lit, err := s.parse()
		if err != nil || lit == nil {
			continue // nothing of it got anywhere
		}
		ast.Walk(lit, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				ast.Walk(field.Value, func(n ast.Node) bool {
					found = append(found, shapes(n)...)
					return true
				}, nil)
				return false
			}
			return true
		}, nil)
	}
	if len(found) == 0 {
		return func(text string) string { return text }
	}
	// The longest first: one may be part of another.
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(found))
	for _, value := range slices.Compact(found) {
		pairs = append(pairs, value, masked)
	}
	return strings.NewReplacer(pairs...).Replace
}

// shapes returns what the value of a literal looks like in a text.
func shapes(n ast.Node) []string {
	lit, ok := n.(*ast.BasicLit)
	if !ok {
		return nil
	}
	var all []string
	switch lit.Kind {
	case token.STRING:
		s, err := literal.Unquote(lit.Value)
		if err != nil {
			return nil
		}
		all = []string{s, inner(strconv.Quote(s)), inner(literal.String.Quote(s)), base64.StdEncoding.EncodeToString([]byte(s))}
		if strings.Contains(s, "\n") {
			all = append(all, strings.Split(s, "\n")...)
		}
	case token.INT, token.FLOAT:
		all = []string{lit.Value}
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(strings.TrimSpace(s)) < shortestMasked })
}

// inner returns what is between the quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }
