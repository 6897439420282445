// SPDX-License-Identifier: Apache-2.0

package spelling

import (
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// arg is a part of a command line: a flag with its value, or an operand.
type arg struct {
	flag  string // the name as typed, without dashes; empty for an operand
	value string // of the flag, or the operand
	given bool   // the flag has a value
	typed []string
}

// own returns a flag of ours.
func own(name, value string) arg {
	return arg{flag: name, value: value, given: true, typed: []string{"--" + name + "=" + value}}
}

// rewriting is a command line on its way to our spelling.
type rewriting struct {
	table []Spelling
	cmd   Command
	path  string
	args  []arg
	tail  []arg // operands that follow all others
	line  Line
}

// has returns whether a flag is on the command line.
func (r *rewriting) has(names ...string) bool {
	return slices.ContainsFunc(r.args, func(a arg) bool { return a.flag != "" && slices.Contains(names, a.flag) })
}

// Rewrite returns a command line, without the name of the program, in our own
// spelling. What the table does not know stays as it is.
func Rewrite(root Command, args []string) (Line, error) {
	r := &rewriting{table: Table(), cmd: root, line: Line{Env: map[string]string{}}}
	words, flags, rest := r.findCommand(args)
	r.args = r.scan(append(flags, rest...))
	for _, a := range r.args {
		replaced, err := r.replace(a)
		if err != nil {
			return r.line, err
		}
		for _, b := range replaced {
			r.line.Args = append(r.line.Args, b.typed...)
		}
	}
	for _, a := range r.tail {
		r.line.Args = append(r.line.Args, a.typed...)
	}
	r.line.Args = append(words, r.line.Args...)
	return r.line, nil
}

// replace returns what stands in our spelling for a part of the line.
func (r *rewriting) replace(a arg) ([]arg, error) {
	if a.flag == "" {
		if r.leavesOut(a) {
			return nil, nil
		}
		return []arg{a}, nil
	}
	s, ok := r.row(a.flag)
	takesValue, _ := r.cmd.Flag(a.flag)
	if ok {
		takesValue = s.value == oneValue
	}
	if takesValue && !a.given && a.flag != "v" { // a level of verbosity may be left out
		return nil, fail.Usagef("flag needs an argument: %s", a.typed[0])
	}
	if !ok {
		return []arg{a}, nil
	}
	return s.do(r, a)
}

// leavesOut says whether an operand is dropped: Timoni takes it and we do not.
func (r *rewriting) leavesOut(a arg) bool {
	first := slices.IndexFunc(r.args, func(b arg) bool { return b.flag == "" })
	return r.args[first].value != a.value && slices.ContainsFunc(r.table, func(s Spelling) bool {
		return s.operand != "" && s.operand == a.value && slices.Contains(s.on, r.path)
	})
}

// findCommand walks down to the command that is meant. It returns the words
// that name it in our spelling, the flags between them, and what follows.
func (r *rewriting) findCommand(args []string) (words, flags, rest []string) {
	path := []string{r.cmd.Name()}
	for len(args) > 0 {
		r.path = commandPath(path)
		if strings.HasPrefix(args[0], "-") && args[0] != "-" && args[0] != "--" {
			n := min(r.width(args), len(args))
			flags, args = append(flags, args[:n]...), args[n:]
			continue
		}
		word := r.otherWord(path, args[0])
		child, ok := r.cmd.Child(word)
		if !ok {
			break
		}
		r.cmd, args = child, args[1:]
		words, path = append(words, word), append(path, child.Name())
	}
	r.path = commandPath(path)
	return words, flags, args
}

// otherWord returns what a word after those of a command stands for.
func (r *rewriting) otherWord(path []string, word string) string {
	typed := append(slices.Clone(path), word)
	for _, s := range r.table {
		if len(s.words) > 1 && slices.Equal(s.words, typed) {
			return s.means[len(s.means)-1]
		}
	}
	return word
}

// row returns the row for a flag of the command.
func (r *rewriting) row(flag string) (Spelling, bool) {
	if flag == "" {
		return Spelling{}, false
	}
	for _, s := range r.table {
		if s.do == nil || !slices.Contains(s.flags, flag) || s.on != nil && !slices.Contains(s.on, r.path) {
			continue
		}
		if _, known := r.cmd.Flag(flag); s.kept && known {
			return Spelling{}, false
		}
		return s, true
	}
	return Spelling{}, false
}

// scan splits arguments into flags and operands. The letters of a group are
// split, too.
func (r *rewriting) scan(args []string) []arg {
	var list []arg
	for len(args) > 0 {
		word := args[0]
		switch {
		case word == "--":
			for _, operand := range args {
				list = append(list, arg{value: operand, typed: []string{operand}})
			}
			return list
		case !strings.HasPrefix(word, "-") || word == "-":
			list, args = append(list, arg{value: word, typed: args[:1]}), args[1:]
		case !strings.HasPrefix(word, "--") && len(word) > 2 && !r.takesRest(word[1:2]):
			// The first letter of a group that takes no value.
			list = append(list, arg{flag: word[1:2], typed: []string{word[:2]}})
			args = append([]string{"-" + word[2:]}, args[1:]...)
		default:
			n := min(r.width(args), len(args))
			list, args = append(list, r.flag(args[:n])), args[n:]
		}
	}
	return list
}

// takesRest says whether the letters after the first one are its value.
func (r *rewriting) takesRest(letter string) bool {
	if s, ok := r.row(letter); ok {
		return s.value != noValue
	}
	takesValue, known := r.cmd.Flag(letter)
	return takesValue || !known
}

// flag returns the flag that the arguments are.
func (r *rewriting) flag(args []string) arg {
	a := arg{typed: args}
	if name, isLong := strings.CutPrefix(args[0], "--"); isLong {
		a.flag, a.value, a.given = strings.Cut(name, "=")
	} else {
		a.flag = args[0][1:2]
		a.value, a.given = strings.TrimPrefix(args[0][2:], "="), len(args[0]) > 2
	}
	if len(args) > 1 {
		a.value, a.given = args[1], true
	}
	return a
}

// width returns how many of the arguments the flag at their start takes up.
func (r *rewriting) width(args []string) int {
	name, isLong := strings.CutPrefix(args[0], "--")
	if !isLong {
		name = args[0][1:2]
	}
	if isLong && strings.Contains(name, "=") || !isLong && len(args[0]) > 2 {
		return 1
	}
	takesValue, _ := r.cmd.Flag(name)
	next := ""
	if len(args) > 1 {
		next = args[1]
	}
	if s, ok := r.row(name); ok {
		switch s.value {
		case noValue:
			takesValue = false
		case oneValue:
			takesValue = true
		case maybeMode:
			takesValue = slices.Contains(modes(), next)
		}
	}
	if takesValue {
		return 2
	}
	return 1
}

// modes are the values of --dry-run.
func modes() []string { return []string{"none", "client", "server"} }
