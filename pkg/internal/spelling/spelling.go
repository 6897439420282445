// SPDX-License-Identifier: Apache-2.0

// Package spelling holds what Timoni writes otherwise than this project: verbs
// and flags. One table says what each of them stands for. A command line is
// rewritten by it before it is parsed, so that no command knows a second
// spelling and no help shows one.
package spelling

import (
	"slices"
	"strings"
	"time"
)

// Spelling is a row of the table: a verb or a flag as Timoni writes it.
type Spelling struct {
	// Theirs and Ours are for people: the two ways to write it.
	Theirs, Ours string
	// Note says what is different, empty when nothing is.
	Note string
	// Example is a command line that uses it, from the verb on.
	Example []string
	// Also says that our command has a flag of this name, with other values.
	Also bool
	// Shown says that our own help has it: it is a short form, or it is found
	// where a value is read and not here.
	Shown bool

	words []string // the verb as it is typed, for a verb
	means []string // the words that it stands for

	on    []string // the commands that have the flag: "mod pull"; nil for all
	flags []string // its names, and its letter
	value value
	// kept says that a command with a flag of this name has its own.
	kept bool
	do   rule

	operand string // that is left out behind another one
}

// value says what follows a flag.
type value int

const (
	noValue   value = iota // or =true and =false
	oneValue               // always, after = or as the next argument
	maybeMode              // one of modes, after = or as the next argument
)

// rule returns what stands in place of a flag.
type rule func(*rewriting, arg) ([]arg, error)

// Line is a command line in our own spelling, and what it says that no flag of
// ours does.
type Line struct {
	Args []string
	// Timeout bounds the whole command, 0 for no limit.
	Timeout time.Duration
	// Env are variables that the command sees as if they were set.
	Env map[string]string
}

// Command is what has to be known of one of our commands.
type Command interface {
	Name() string
	// Child returns the subcommand that a word names.
	Child(word string) (Command, bool)
	// Flag finds a flag by its name, and a letter by itself. takesValue says that
	// the next argument is its value.
	Flag(name string) (takesValue, known bool)
}

// Verb returns the words that a verb of Timoni's stands for, the verb itself if
// it is no other spelling.
func Verb(word string) []string {
	for _, s := range Table() {
		if slices.Equal(s.words, []string{word}) {
			return s.means
		}
	}
	return []string{word}
}

// Global returns whether a flag may stand before the verb, and whether the next
// argument is its value.
func Global(name string) (takesValue, known bool) {
	for _, s := range Table() {
		if s.on == nil && slices.Contains(s.flags, name) {
			return s.value != noValue, true
		}
	}
	return false, false
}

// commandPath returns the words by which the table knows a command, whatever
// binary it is in.
func commandPath(words []string) string {
	switch {
	case len(words) > 1 && slices.Contains([]string{"instance", "kubectl-timoni"}, words[0]):
		words = words[1:]
	case len(words) > 1 && words[0] == "artifact" && words[1] == "registry":
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// Flags returns the names of a flag, nil for a verb.
func (s Spelling) Flags() []string {
	if s.do == nil {
		return nil
	}
	return slices.Clone(s.flags)
}

// Words returns the words of a verb as Timoni has them, nil for a flag.
func (s Spelling) Words() []string { return slices.Clone(s.words) }
