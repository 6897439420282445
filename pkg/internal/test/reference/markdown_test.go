// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const generated = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Written by 'make gen' from the commands. -->\n"

// markdown returns the page of a verb and of the commands below it.
func markdown(verb *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generated)
	for i, cmd := range family(verb) {
		fmt.Fprintf(&b, "%s %s\n\n", strings.Repeat("#", 1+min(i, 1)), cmd.CommandPath())
		b.WriteString(paragraphs(longOf(cmd)))
		if !cmd.HasAvailableSubCommands() || strings.Contains(cmd.Use, " ") { // no mere group
			fmt.Fprintf(&b, "```text\n%s\n```\n\n", cmd.UseLine())
		}
		if cmd.Example != "" {
			fmt.Fprintf(&b, "Examples:\n\n```text\n%s\n```\n\n", dedent(cmd.Example))
		}
		own, kubectls := flagsOf(cmd)
		b.WriteString(flagTable(own))
		if kubectls {
			b.WriteString("It also takes [kubectl's flags](README.md#kubectls-flags).\n\n")
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// index returns the page that lists the verbs and kubectl's flags.
func index() (string, error) {
	var b strings.Builder
	b.WriteString(generated + "# Commands\n\nEvery verb with its flags and examples, as `kubectl timoni help VERB` prints them. The same as man pages is in `docs/man`.\n")
	group := ""
	for _, v := range verbs() {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n## %s\n\n", group)
		}
		fmt.Fprintf(&b, "- [%s](%s.md): %s\n", v.Name, v.Name, v.Short)
	}
	b.WriteString("\n`install` and `upgrade` are other names of `apply`; `instance` holds the verbs on instances.\n")
	b.WriteString("\n## kubectl's flags\n\nThe verbs on a cluster take them all.\n\n")
	list, err := command("list")
	if err != nil {
		return "", err
	}
	var flags []*pflag.Flag
	list.InheritedFlags().VisitAll(func(f *pflag.Flag) {
		if isKubectls(f) {
			flags = append(flags, f)
		}
	})
	b.WriteString(flagTable(flags))
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

func longOf(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func flagTable(flags []*pflag.Flag) string {
	if len(flags) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| flag | |\n|---|---|\n")
	for _, f := range flags {
		typed, says := flagWords(f)
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(typed, "|", `\|`), escape(says))
	}
	b.WriteByte('\n')
	return b.String()
}

// paragraphs returns the text of a help in Markdown: what is laid out is code.
func paragraphs(text string) string {
	var b strings.Builder
	isCode := false
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		code := isLaidOut(p)
		switch {
		case code && !isCode:
			b.WriteString("```text\n")
		case !code && isCode:
			b.WriteString("```\n\n")
		case code:
			b.WriteByte('\n')
		}
		isCode = code
		if code {
			b.WriteString(dedent(p) + "\n")
		} else {
			b.WriteString(escape(p) + "\n\n")
		}
	}
	if isCode {
		b.WriteString("```\n\n")
	}
	return b.String()
}

// isLaidOut reports whether a paragraph of a help is to be printed as it is:
// something in it is indented or in columns.
func isLaidOut(paragraph string) bool {
	return strings.HasPrefix(paragraph, "  ") || strings.Contains(paragraph, "\n  ") || strings.Contains(paragraph, "   ")
}

// dedent removes the indentation of the first line from each.
func dedent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " "))]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}

// escape returns text in which nothing means something to Markdown.
func escape(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`, "|", `\|`, "_", `\_`, "[", `\[`, "`", "\\`").Replace(text)
}
