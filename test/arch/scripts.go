// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxScript is the largest number of lines of an end-to-end script. A longer one
// makes more than one promise.
const maxScript = 250

var (
	// variable is a variable of a script, as a value or quoted for a regular
	// expression.
	variable = regexp.MustCompile(`\$(?:\{([A-Za-z_]+)(?:@R)?\}|([A-Za-z_]+))`)
	// member is the line that begins a file within a script.
	member = regexp.MustCompile(`(?m)^-- .+ --$`)
)

// command is one line of a script.
type command struct {
	line int
	args []string // with the condition and the negation
}

// checkScript holds the end-to-end scripts to these rules: each command that must
// fail is followed by an assertion of what it prints, the asserted text does not
// come from the command's own arguments, and no script is too long.
func (c *checker) checkScript() {
	if path.Ext(c.file.Path) != ".txtar" || !strings.HasPrefix(c.file.Path, "test/e2e/") {
		return
	}
	if n := strings.Count(c.file.Source, "\n"); n > maxScript {
		c.add(1, "script", "has %d lines, at most %d: split it by what it promises", n, maxScript)
	}
	commands := readScript(c.file.Source)
	for i, cmd := range commands {
		if !cmd.mustFail() {
			continue
		}
		asserted := false
		for _, next := range commands[i+1:] {
			if !next.asserts() {
				break
			}
			asserted = asserted || !slices.Contains(next.args, "!")
			if next.repeats(cmd) {
				c.add(next.line, "script", "%s: the text is an argument of the command, so that this cannot fail", strings.Join(next.args, " "))
			}
		}
		if !asserted {
			c.add(cmd.line, "script", "%s: must fail, but nothing says with which text", strings.Join(cmd.args, " "))
		}
	}
}

// readScript returns the commands of a script, without comments.
func readScript(source string) []command {
	if at := member.FindStringIndex(source); at != nil {
		source = source[:at[0]]
	}
	var all []command
	number := 0
	for line := range strings.Lines(source) {
		number++
		args := words(line)
		if len(args) == 0 {
			continue
		}
		all = append(all, command{number, args})
	}
	return all
}

// words splits a line as testscript does: at spaces outside of single quotes. A
// doubled quote within quotes is a quote, and # begins a comment.
func words(line string) []string {
	var all []string
	word, inWord, quoted := "", false, false
	line = strings.TrimSpace(line)
	for i := 0; i < len(line); i++ {
		b := line[i]
		switch {
		case b == '\'' && quoted && strings.HasPrefix(line[i+1:], "'"):
			word += "'"
			i++
		case b == '\'':
			quoted, inWord = !quoted, true
		case quoted, b != ' ' && b != '\t' && (b != '#' || inWord):
			word, inWord = word+string(b), true
		case b == '#':
			i = len(line)
		case inWord:
			all, word, inWord = append(all, word), "", false
		}
	}
	if inWord {
		all = append(all, word)
	}
	return all
}

// own returns the arguments without condition and negation.
func (c command) own() []string {
	args := c.args
	for len(args) > 1 && (strings.HasPrefix(args[0], "[") || args[0] == "!") {
		args = args[1:]
	}
	return args
}

// mustFail reports whether a program must fail which says why. The exit code of
// grep, test and cmp is all that they say.
func (c command) mustFail() bool {
	args := c.own()
	switch {
	case len(args) < 2:
		return false
	case args[0] == "code":
		return args[1] != "0"
	case args[0] == "exec" || args[0] == "cosign":
		return slices.Contains(c.args, "!") && !slices.Contains([]string{"grep", "test", "cmp"}, args[1])
	}
	return false
}

// asserts reports whether the command looks at what the one before it printed.
func (c command) asserts() bool {
	switch args := c.own(); args[0] {
	case "stdout", "stderr":
		return true
	case "cmp", "cmpenv", "cp":
		return slices.Contains(args, "stdout") || slices.Contains(args, "stderr")
	}
	return false
}

// repeats reports whether the asserted text is among the arguments of the command
// that must fail, which errors print in any case.
func (c command) repeats(failed command) bool {
	args := c.own()
	if slices.Contains(c.args, "!") || args[0] != "stdout" && args[0] != "stderr" {
		return false
	}
	pattern, err := regexp.Compile("(?m)" + variable.ReplaceAllString(args[len(args)-1], "$1$2"))
	if err != nil {
		return false
	}
	return pattern.MatchString(variable.ReplaceAllString(strings.Join(failed.own(), " "), "$1$2"))
}
