// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// man returns the man page of a verb and of the commands below it.
func man(verb *cobra.Command) string {
	var b strings.Builder
	name := strings.ReplaceAll(verb.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Written by 'make gen' from the commands.\n"+
		".TH %s 1 \"\" \"kubectl timoni\" \"User Commands\"\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(roff(name)), roff(name), roff(verb.Short))
	commands := family(verb)
	b.WriteString(".SH SYNOPSIS\n")
	for i, cmd := range commands {
		if i > 0 {
			b.WriteString(".br\n")
		}
		b.WriteString(roff(cmd.UseLine()) + "\n")
	}
	b.WriteString(".SH DESCRIPTION\n" + manText(longOf(verb)))
	manFlags(&b, verb, ".SH OPTIONS\n")
	manExamples(&b, verb, ".SH EXAMPLES\n")
	for _, cmd := range commands[1:] {
		fmt.Fprintf(&b, ".SH %s\n%s", strings.ToUpper(roff(strings.TrimPrefix(cmd.CommandPath(), program+" "))), manText(longOf(cmd)))
		manFlags(&b, cmd, ".PP\nOptions:\n")
		manExamples(&b, cmd, ".PP\nExamples:\n")
	}
	b.WriteString(".SH EXIT STATUS\n" +
		"0 done; 1 the answer is no; 2 wrong command line; 3 failed; 4 not ready in time; 5 refused.\n" +
		".SH SEE ALSO\n.BR kubectl\\-timoni (1)\n")
	return b.String()
}

// manIndex returns the man page of the front door.
func manIndex() string {
	var b strings.Builder
	b.WriteString(".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Written by 'make gen' from the commands.\n" +
		".TH KUBECTL\\-TIMONI 1 \"\" \"kubectl timoni\" \"User Commands\"\n" +
		".SH NAME\nkubectl\\-timoni \\- build and apply Timoni modules\n.SH SYNOPSIS\nkubectl timoni VERB [flags]\n.SH VERBS\n")
	for _, v := range verbs() {
		fmt.Fprintf(&b, ".TP\n.BR kubectl\\-timoni\\-%s (1)\n%s\n", roff(v.Name), roff(v.Short))
	}
	return b.String()
}

func manFlags(b *strings.Builder, cmd *cobra.Command, head string) {
	own, kubectls := flagsOf(cmd)
	if len(own) > 0 {
		b.WriteString(head)
	}
	for _, f := range own {
		manFlag(b, f)
	}
	if kubectls {
		b.WriteString(".PP\nIt also takes kubectl's flags: see\n.BR kubectl (1).\n")
	}
}

func manFlag(b *strings.Builder, f *pflag.Flag) {
	typed, says := flagWords(f)
	fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", roff(typed), roff(says))
}

func manExamples(b *strings.Builder, cmd *cobra.Command, head string) {
	if cmd.Example != "" {
		fmt.Fprintf(b, "%s.nf\n%s\n.fi\n", head, roff(dedent(cmd.Example)))
	}
}

// manText returns the text of a help: what is laid out is printed as it is.
func manText(text string) string {
	var b strings.Builder
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if isLaidOut(p) {
			fmt.Fprintf(&b, ".PP\n.nf\n%s\n.fi\n", roff(p))
		} else {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(p))
		}
	}
	return b.String()
}

// roff returns text in which nothing means something to roff.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
