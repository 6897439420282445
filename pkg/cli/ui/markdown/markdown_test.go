// SPDX-License-Identifier: Apache-2.0

package markdown_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/markdown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// limit is that of a comment on GitHub.
const limit = 65536

func change(action event.Action, name, diff string) markdown.Change {
	return markdown.Change{Outcome: event.Outcome{
		Object: event.Object{Version: "v1", Kind: "ConfigMap", Namespace: "apps", Name: name}, Action: action,
	}, Diff: diff}
}

func write(t *testing.T, sections ...markdown.Section) string {
	t.Helper()
	var b strings.Builder
	if err := markdown.Write(&b, sections); err != nil {
		t.Fatal(err)
	}
	if len(b.String()) > limit || !utf8.ValidString(b.String()) {
		t.Errorf("%d bytes, or no UTF-8", b.Len())
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	t.Parallel()
	got := write(t, markdown.Section{Title: "eu-1", Changes: []markdown.Change{
		change(event.Configured, "a", "--- live a\n+++ planned a\n@@ -1 +1,2 @@\n-x: 1\n+x: 2\n+z: 1\n"), change(event.Kept, "b", ""),
	}})
	want := "**1 configured, 1 kept**\n" +
		"\n### <code>eu-1</code>\n" +
		"\n| object | action | lines | reason |\n|---|---|---|---|\n" +
		"| <code>ConfigMap/apps/a</code> | configured | +2 −1 |  |\n" +
		"| <code>ConfigMap/apps/b</code> | kept |  |  |\n" +
		"\n### <code>eu-1</code>\n" +
		"\n<details><summary>configured <code>ConfigMap/apps/a</code></summary>\n\n" +
		"```diff\n--- live a\n+++ planned a\n@@ -1 +1,2 @@\n-x: 1\n+x: 2\n+z: 1\n```\n\n</details>\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := write(t); got != "No changes.\n" {
		t.Errorf("%q", got)
	}
}

// TestHostile holds that no text ends its block or cell, mentions anyone, or
// controls a terminal.
func TestHostile(t *testing.T) {
	t.Parallel()
	const text = "a|b`c`@team\n\n</details></summary><script>*x*\x1b[31m #1 https://example.com www.example.com ```` :tada: [l](m)"
	c := change(event.Configured, text, "+"+text+"\n```\n~~~\n"+"`````\n\x1b]0;title\a</details>\n")
	c.Reason = text
	got := write(t, markdown.Section{Title: text, Changes: []markdown.Change{c}})
	checkStructure(t, got, 1)
	if !strings.Contains(got, "\n``````diff\n") {
		t.Errorf("the fence is not longer than what is in it:\n%s", got)
	}
}

// outsideRE matches what is outside of code: what this package itself writes.
var outsideRE = regexp.MustCompile(`^(\*\*[\w, ]+\*\*|### |\| object \| action \| lines \| reason \||(\|---)+\||\|  \| \w+ \| (\+\d+ −\d+)? \|  \||` +
	`<details><summary>\w+ </summary>|</details>|[\w, ]+\.|No changes\.|)$`)

var codeRE = regexp.MustCompile(`<code>([^<>]*)</code>`)

// checkStructure parses a comment as Markdown does: fences first, then lines.
func checkStructure(t *testing.T, text string, blocks int) {
	t.Helper()
	fence, opened, details := "", 0, 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if fence != "" {
			if strings.Trim(line, " ") == fence || strings.HasPrefix(strings.TrimLeft(line, " "), fence) {
				fence = ""
			}
			if strings.ContainsAny(line, "\x1b\a\r") {
				t.Errorf("a block controls a terminal: %q", line)
			}
			continue
		}
		if run, ok := strings.CutSuffix(line, "diff"); ok && strings.Trim(run, "`") == "" {
			fence, opened = run, opened+1
			continue
		}
		details += strings.Count(line, "<details>") - strings.Count(line, "</details>")
		for _, m := range codeRE.FindAllStringSubmatch(line, -1) {
			if strings.ContainsAny(m[1], "@|<>`*_[]:\\\n\x1b") {
				t.Errorf("code holds more than a text: %q", m[1])
			}
		}
		if rest := codeRE.ReplaceAllString(line, ""); !outsideRE.MatchString(rest) {
			t.Errorf("not written by us: %q", rest)
		}
	}
	if fence != "" || opened != blocks && blocks >= 0 || details != 0 {
		t.Errorf("open fence %q, %d blocks, want %d:\n%s", fence, opened, blocks, text)
	}
}

// TestLimit holds that a comment is never too long, and that what is left out is
// counted.
func TestLimit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("+line\n", 50_000)
	got := write(t, markdown.Section{Changes: []markdown.Change{change(event.Created, "long", long), change(event.Deleted, "short", "-x\n")}})
	if !strings.Contains(got, "more lines are not shown.\n") || !strings.Contains(got, "<summary>deleted <code>ConfigMap/apps/short</code></summary>") {
		t.Errorf("the lines that are left out are not counted, or a short object is not shown: %.300s", got)
	}
	checkStructure(t, got, 2)
	var many []markdown.Change
	for n := range 2000 {
		many = append(many, change(event.Created, fmt.Sprint("n", n), strings.Repeat("+x\n", 20)))
	}
	got = write(t, markdown.Section{Changes: many})
	listed, shown := strings.Count(got, "\n| <code>"), strings.Count(got, "<details>")
	for _, want := range []string{
		"**2000 created**", fmt.Sprintf("\nNot listed, as the comment would be too long: %d created.\n", 2000-listed),
		fmt.Sprintf("\nNot shown, as the comment would be too long: %d created.\n", 2000-shown),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	if listed < 100 || shown < 100 {
		t.Errorf("only %d listed and %d shown", listed, shown)
	}
	var sections []markdown.Section
	for n := range 3000 {
		sections = append(sections, markdown.Section{Title: strings.Repeat("@", 100) + fmt.Sprint(n), Changes: many[:2]})
	}
	if got = write(t, sections...); !strings.Contains(got, "**6000 created**") {
		t.Errorf("%.300s", got)
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("Deployment", "web", "reason", "+a\n-b\n")
	f.Add("a|b", "```", "@x", "```\n</details>\n")
	f.Fuzz(func(t *testing.T, kind, name, reason, diff string) {
		c := markdown.Change{Outcome: event.Outcome{Object: event.Object{Kind: kind, Name: name}, Action: event.Configured, Reason: reason}, Diff: diff}
		blocks := 1
		if diff == "" {
			blocks = 0
		}
		if len(diff)+len(name)+len(kind) > limit/20 {
			blocks = -1 // it may not fit
		}
		checkStructure(t, write(t, markdown.Section{Title: name, Changes: []markdown.Change{c}}), blocks)
	})
}
