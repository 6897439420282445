// SPDX-License-Identifier: Apache-2.0

package values

import (
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Mask returns a function that hides, in a text, the secrets of sources: all
// values of those that are secret themselves, and of the others the strings
// whose path names a secret. It is quick where there is none.
func Mask(sources []Source) func(string) string { return mask.Values(secretsOf(sources)) }

// Secrets returns the secrets of sources: what Mask hides.
func Secrets(sources []Source) []string { return slices.Sorted(maps.Keys(secretsOf(sources))) }

func secretsOf(sources []Source) secrets {
	found := secrets{}
	for _, s := range sources {
		if lit, err := s.parse(); err == nil && lit != nil { // else nothing of it got anywhere
			found.below(lit, s.Secret && s.Hidden == nil, s.Secret && s.Hidden == nil)
		}
		found.addTexts(s.Hidden)
	}
	return found
}

// MaskSecret returns a function that hides, in a text, all values of the sources
// that are secret themselves.
func MaskSecret(sources []Source) func(string) string {
	return Mask(slices.DeleteFunc(slices.Clone(sources), func(s Source) bool { return !s.Secret }))
}

// SecretTexts returns the texts that MaskSecret hides.
func SecretTexts(sources []Source) []string {
	found := secrets{}
	for _, s := range sources {
		lit, err := s.parse()
		if s.Secret && s.Hidden == nil && err == nil && lit != nil {
			found.below(lit, true, true)
		}
		if s.Secret {
			found.addTexts(s.Hidden)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// HiderOf returns a function that hides texts, also where CUE has quoted them.
func HiderOf(texts []string) func(string) string {
	found := secrets{}
	found.addTexts(texts)
	return mask.Values(found)
}

// HideIn returns a function that returns an error with every text as hide makes
// it.
func HideIn(hide func(string) string) func(error) error {
	return func(err error) error {
		hideProblems(err, hide)
		return mask.Error(err, hide)
	}
}

// hideProblems changes the problems of every *Error in a tree of errors: what
// prints them one by one does not see the text of the error.
func hideProblems(err error, hide func(string) string) {
	switch e := err.(type) { //nolint:errorlint // each link of the chain is visited
	case *Error:
		for i := range e.Problems {
			e.Problems[i] = e.Problems[i].Replace(hide)
		}
	case interface{ Unwrap() error }:
		hideProblems(e.Unwrap(), hide)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			hideProblems(part, hide)
		}
	}
}

// Literals returns the strings and numbers in a file of CUE.
func Literals(file *ast.File) []string {
	found := secrets{}
	found.below(file, true, true)
	return slices.Sorted(maps.Keys(found))
}

// MaskSyntax is Mask for files of CUE that were parsed. What an error has of text,
// in which values may stand without their name, is hidden with it.
func MaskSyntax(text string, isParsed bool, files ...*ast.File) func(error) error {
	found := secrets{}
	for _, file := range files {
		found.below(file, false, false)
	}
	hide := mask.Values(found)
	return func(err error) error {
		e, ok := err.(*Error) //nolint:errorlint // a wrapped one is in the text already
		if !ok {
			return mask.Error(err, hide)
		}
		for i, p := range e.Problems {
			p = p.Replace(hide)
			if !isParsed || strings.HasPrefix(p.Message, "invalid operation") || p.finding != nil && p.finding.unresolved {
				p.Message = mask.WordsOf(p.Message, text, isParsersWord)
			}
			e.Problems[i] = p
		}
		return e
	}
}

// secrets has what stands in the place of each value.
type secrets map[string]string

// below adds the values of a node, if they are secret: all of them, or only
// the strings that are not likely to stand in another text by chance.
func (s secrets) below(n ast.Node, secret, all bool) {
	ast.Walk(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			s.below(n.Value, secret || mask.IsSecret(labelText(n.Label)), all)
			return false
		case *ast.LetClause:
			s.below(n.Expr, secret || mask.IsSecret(n.Ident.Name), all)
			return false
		case *ast.UnaryExpr:
			return n.Op != token.MAT && n.Op != token.NMAT // an expression is no value
		case *ast.BasicLit:
			if secret {
				s.add(n, all)
			}
		}
		return true
	}, nil)
}

// labelText returns a name as it is written, of a hidden field too.
func labelText(l ast.Label) string {
	if alias, ok := l.(*ast.Alias); ok {
		if inner, isLabel := alias.Expr.(ast.Label); isLabel {
			l = inner
		}
	}
	name, _, _ := ast.LabelName(l)
	return name
}

func (s secrets) addTexts(texts []string) {
	for _, text := range texts {
		s[text] = mask.Hidden
		if quoted := literal.String.Quote(text); len(quoted)-2 != len(text) {
			s[quoted[1:len(quoted)-1]] = mask.Hidden
		}
	}
}

func (s secrets) add(lit *ast.BasicLit, all bool) {
	const shortest = 6
	switch lit.Kind {
	case token.STRING:
		text, err := literal.Unquote(lit.Value)
		if err != nil || !all && len(text) < shortest {
			return
		}
		s.addTexts([]string{text})
	case token.INT, token.FLOAT:
		if all {
			s[lit.Value] = mask.Hidden
		}
	}
}
