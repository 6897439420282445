// SPDX-License-Identifier: Apache-2.0

// Package choice registers flags that take one of a few words. The words are
// given once: the check, the help and completion read them from the flag.
package choice

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Choice is a word that a flag takes. The note is for the help, where the word
// alone does not say it.
type Choice[T ~string] struct {
	Word T
	Note string
}

// Of returns choices that need no note.
func Of[T ~string](words ...T) []Choice[T] {
	choices := make([]Choice[T], len(words))
	for i, word := range words {
		choices[i].Word = word
	}
	return choices
}

// Flag is a flag that takes one of its choices. Without a default it may be
// empty, too.
type Flag[T ~string] struct {
	Name, Short string
	Usage       string // what follows it in the help are the choices
	Default     T
	Choices     []Choice[T]
}

// AddTo registers the flag, whose value to points to.
func (f Flag[T]) AddTo(fs *pflag.FlagSet, to *T) *pflag.Flag {
	*to = f.Default
	return fs.VarPF(&value[T]{f, to}, f.Name, f.Short, f.Help())
}

// Help returns the usage and the choices with their notes: "usage: a, b (note) or c".
func (f Flag[T]) Help() string {
	var b strings.Builder
	b.WriteString(f.Usage + ": ")
	for i, c := range f.Choices {
		switch {
		case i == 0:
		case i == len(f.Choices)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(c.Word))
		if c.Note != "" {
			b.WriteString(" (" + c.Note + ")")
		}
	}
	return b.String()
}

func (f Flag[T]) words() []T {
	words := make([]T, len(f.Choices))
	for i, c := range f.Choices {
		words[i] = c.Word
	}
	return words
}

// value is what pflag keeps of a Flag.
type value[T ~string] struct {
	flag Flag[T]
	to   *T
}

func (v *value[T]) String() string {
	if v.to == nil {
		return ""
	}
	return string(*v.to)
}

func (*value[T]) Type() string { return "string" }

// Set takes one of the choices alone.
func (v *value[T]) Set(word string) error {
	if word != "" || v.flag.Default != "" {
		what := "--" + v.flag.Name
		if v.flag.Name == "output" {
			what = "output format"
		}
		if err := fail.OneOf(what, T(word), v.flag.words()...); err != nil {
			return err
		}
	}
	*v.to = T(word)
	return nil
}

// Choices returns the choices for completion, with their notes behind a tab.
func (v *value[T]) Choices() []string {
	var lines []string
	for _, c := range v.flag.Choices {
		line := string(c.Word)
		if c.Note != "" {
			line += "\t" + c.Note
		}
		lines = append(lines, line)
	}
	return lines
}
