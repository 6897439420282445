// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/spelling"
)

// Call is a command line for a sibling. Binary is empty when the front door is
// to answer itself.
type Call struct {
	Binary string
	Argv0  string // what was typed as far as the sibling has to know it
	Args   []string
}

// Dispatch returns the call that the arguments of the front door stand for.
// program is what was typed to start it: "kubectl timoni" or
// "kubectl-timoni". An unknown verb or flag is a usage error.
func Dispatch(program string, args []string) (Call, error) {
	if program != "kubectl timoni" {
		program = FrontDoor // the only other form that a sibling reads from argv[0]
	}
	flags, rest, err := splitFlags(program, args)
	if err != nil || len(rest) == 0 {
		return Call{}, err
	}
	rest = append(canonical(rest[0]), rest[1:]...)
	name, rest := rest[0], rest[1:]
	if name == "help" && len(rest) > 0 {
		if _, ok := FindTopic(rest[0]); ok {
			return Call{}, nil
		}
		return Dispatch(program, slices.Concat(flags, rest, []string{"--help"}))
	}
	i := slices.IndexFunc(Verbs(), func(v Verb) bool { return v.Name == name })
	if i < 0 {
		return Call{}, unknownVerb(program, name)
	}
	return Verbs()[i].call(program, flags, rest), nil
}

// canonical returns the words in the table of a verb that has a second name.
func canonical(name string) []string {
	switch name {
	case "ls":
		return []string{"list"}
	case "uninstall":
		return []string{"delete"}
	}
	return slices.Clone(spelling.Verb(name))
}

// call puts the flags that were typed before the verb behind the last word of
// the command, where every flag parser accepts them.
func (v Verb) call(program string, flags, rest []string) Call {
	if v.Binary == "" {
		return Call{}
	}
	c := Call{Binary: v.Binary, Argv0: program}
	if v.Named {
		c.Argv0 += " " + v.Name
	} else {
		c.Args = append(c.Args, v.Name)
	}
	if v.Commands && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		c.Args = append(c.Args, rest[0])
		rest = rest[1:]
	}
	c.Args = slices.Concat(c.Args, flags, rest)
	return c
}

// splitFlags separates the flags before the first operand from the rest.
func splitFlags(program string, args []string) (flags, rest []string, err error) {
	for i := 0; i < len(args); {
		if !strings.HasPrefix(args[i], "-") || args[i] == "-" {
			return args[:i], args[i:], nil
		}
		n, known := flagWidth(args[i])
		if !known {
			return nil, nil, unknownFlag(program, args[i])
		}
		i += n
		if i > len(args) {
			return nil, nil, fail.Usagef("flag %s needs a value", args[len(args)-1])
		}
	}
	return args, nil, nil
}

// flagWidth returns how many arguments the flag takes up, its own included.
func flagWidth(arg string) (n int, known bool) {
	if long, isLong := strings.CutPrefix(arg, "--"); isLong {
		name, _, hasValue := strings.Cut(long, "=")
		f, known := findFlag(func(f Flag) bool { return f.Name == name })
		if !known {
			f.Value, known = spelling.Global(name)
		}
		if known && f.Value && !hasValue {
			return 2, true
		}
		return 1, known
	}
	for i, short := range arg[1:] {
		f, known := findFlag(func(f Flag) bool { return f.Short == string(short) })
		switch {
		case !known:
			return 0, false
		case f.Value && i+2 == len(arg): // the last letter: the value is the next argument
			return 2, true
		case f.Value: // the rest of the letters is the value
			return 1, true
		}
	}
	return 1, true
}

// findFlag searches kubectl's flags and those that so many verbs have that
// people put them first.
func findFlag(match func(Flag) bool) (Flag, bool) {
	flags := append(KubectlFlags(),
		Flag{"output", "o", true}, Flag{"all-namespaces", "A", false}, Flag{"help", "h", false})
	if i := slices.IndexFunc(flags, match); i >= 0 {
		return flags[i], true
	}
	return Flag{}, false
}

func unknownFlag(program, flag string) error {
	err := fail.Usagef("unknown flag %s before the verb", flag)
	if flag == "--version" {
		return fail.Hint(err, "%s version", program)
	}
	return fail.Hint(err, "a verb's own flags follow it: %s VERB %s", program, flag)
}

func unknownVerb(program, name string) error {
	err := fail.Usagef("%s has no verb %q", program, name)
	var names []string
	for _, v := range Verbs() {
		names = append(names, v.Name)
	}
	best, found := fail.Nearest(name, names)
	if !found {
		return fail.Hint(err, "see '%s help'", program)
	}
	return fail.Hint(err, "did you mean '%s %s'?", program, best)
}
