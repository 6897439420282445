// SPDX-License-Identifier: Apache-2.0

package frontdoor_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kubectl-timoni/kubectl-timoni/docs"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/frontdoor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// TestTopics prints every topic: the text of its page, without what only
// Markdown needs.
func TestTopics(t *testing.T) {
	t.Parallel()
	for _, topic := range plugins.Topics() {
		t.Run(topic.Name, func(t *testing.T) {
			t.Parallel()
			if slices.ContainsFunc(plugins.Verbs(), func(v plugins.Verb) bool { return v.Name == topic.Name }) {
				t.Error("it is the name of a verb, whose help is printed instead")
			}
			text := help(t, topic.Name)
			for line := range strings.Lines(text) {
				if topic.Page == "" || strings.HasPrefix(line, "    ") { // code is printed as it is
					continue
				}
				for _, markup := range []string{"](", "```", "<!--", "|---"} {
					if strings.Contains(line, markup) {
						t.Errorf("%q in: %s", markup, line)
					}
				}
				if utf8.RuneCountInString(line) > 81 && !strings.Contains(line, " | ") { // nor are tables wrapped
					t.Errorf("a long line: %s", line)
				}
			}
		})
	}
	if text := help(t, "glossary"); !strings.HasPrefix(text, "GLOSSARY\n\nThe words of this project") {
		t.Errorf("the glossary begins with %.80q", text)
	}
}

// Every page that is embedded has a topic.
func TestPagesHaveTopics(t *testing.T) {
	t.Parallel()
	pages, err := docs.Pages.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !slices.ContainsFunc(plugins.Topics(), func(p plugins.Topic) bool { return p.Page == page.Name() }) {
			t.Errorf("no topic prints %s", page.Name())
		}
	}
}

func help(t *testing.T, topic string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	env := cli.Env{
		Program: "kubectl timoni", Verb: "timoni", Args: []string{"help", topic}, Stdout: &out, Stderr: &stderr,
		LookupEnv:  func(string) (string, bool) { return "", false },
		Executable: func() (string, error) { return os.Args[0], nil },
	}
	if code := cli.Run(t.Context(), env, frontdoor.New); code != 0 {
		t.Fatalf("help %s: exit code %d: %s", topic, code, stderr.String())
	}
	return out.String()
}
