// SPDX-License-Identifier: Apache-2.0

package values

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/order"
)

// Mask returns a function that hides, in a text, the secrets of sources: all
// values of those that are secret themselves, and of the others the strings
// whose path names a secret. It is quick where there is none.
func Mask(sources []Source) func(string) string {
	found := secrets{}
	for _, s := range sources {
		if lit, err := s.parse(); err == nil && lit != nil { // else nothing of it got anywhere
			found.below(lit, s.Secret, s.Secret)
		}
	}
	return mask.Values(found)
}

// secrets has what stands in the place of each value.
type secrets map[string]string

// below adds the values of a node, if they are secret: all of them, or only
// the strings that are not likely to stand in another text by chance.
func (s secrets) below(n ast.Node, secret, all bool) {
	ast.Walk(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			s.below(n.Value, secret || mask.IsSecret(order.LabelName(n.Label)), all)
			return false
		case *ast.BasicLit:
			if secret {
				s.add(n, all)
			}
		}
		return true
	}, nil)
}

func (s secrets) add(lit *ast.BasicLit, all bool) {
	const shortest = 6
	switch lit.Kind {
	case token.STRING:
		text, err := literal.Unquote(lit.Value)
		if err != nil || !all && len(text) < shortest {
			return
		}
		s[text] = mask.Hidden
		if quoted := literal.String.Quote(text); len(quoted)-2 != len(text) {
			s[quoted[1:len(quoted)-1]] = mask.Hidden
		}
	case token.INT, token.FLOAT:
		if all {
			s[lit.Value] = mask.Hidden
		}
	}
}
