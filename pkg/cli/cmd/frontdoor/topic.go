// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kubectl-timoni/kubectl-timoni/docs"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// printTopic prints the page of a topic.
func printTopic(env cli.Env, t plugins.Topic) error {
	if t.Page == "" {
		return printSpellings(env)
	}
	page, err := docs.Pages.ReadFile(t.Page)
	if err != nil {
		return err
	}
	return ui.Print(env.Stdout, plain(string(page)))
}

// topicWidth is how long the lines of a topic may be.
const topicWidth = 80

// plain returns a page in Markdown as text for a terminal: links without their
// targets, code indented, lines wrapped.
func plain(page string) string {
	// Compiled here, since every start of the front door would pay for it elsewhere.
	link := regexp.MustCompile(`!?\[([^\]]*)\]\([^)\s]*\)`)
	var b strings.Builder
	inCode := false
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		text := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(text, "```"):
			inCode = !inCode
		case inCode:
			b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
		case strings.HasPrefix(text, "<!--"), strings.HasPrefix(text, "|---"):
		case strings.HasPrefix(text, "#"):
			b.WriteString(strings.ToUpper(strings.TrimLeft(text, "# ")) + "\n")
		case strings.HasPrefix(text, "|"):
			b.WriteString("  " + strings.ReplaceAll(strings.Trim(link.ReplaceAllString(text, "$1"), "| "), `\|`, "|") + "\n")
		default:
			b.WriteString(wrap(link.ReplaceAllString(line, "$1")))
		}
	}
	return b.String()
}

// wrap breaks a line between words. What follows the first line of an item of
// a list is indented as its text is.
func wrap(line string) string {
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	next := indent
	if strings.HasPrefix(text, "- ") {
		next += "  "
	}
	var b strings.Builder
	b.WriteString(indent)
	width := len(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > topicWidth:
			b.WriteString("\n" + next)
			width = len(next)
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String() + "\n"
}
