// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/spelling"
)

// newHelp returns the command that prints the help of the front door or of one
// of its own verbs; the help of other verbs is dispatched to their binaries.
func newHelp(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB|TOPIC]", Short: "Show the help of a verb, or explain a topic", ValidArgsFunction: completeHelp(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if t, ok := plugins.FindTopic(args[0]); ok {
					return printTopic(env, t)
				}
			}
			of, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// printSpellings prints the table of what Timoni spells otherwise.
func printSpellings(env cli.Env) error {
	if err := ui.Print(env.Stdout, "What works as in Timoni and is spelled otherwise here. The rest is spelled the same.\n\n"); err != nil {
		return err
	}
	var rows [][]string
	for _, s := range spelling.Table() {
		rows = append(rows, []string{s.Theirs, cmp.Or(s.Ours, "-"), s.Note})
	}
	return ui.Table(env.Stdout, []string{"TIMONI", "HERE", "NOTE"}, rows)
}

func printHelp(env cli.Env) error {
	var b strings.Builder
	fmt.Fprintf(&b, `Timoni modules as first-class citizens of kubectl and kustomize: a module is a
CUE package that turns values into Kubernetes objects, an instance is a module
applied to a cluster.

Usage:
  %s VERB [flags]
`, env.Program)
	missing, group := missing(env), ""
	for _, v := range plugins.Verbs() {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		fmt.Fprintf(&b, "  %-11s %s", v.Name, v.Short)
		if missing[v.Binary] {
			fmt.Fprintf(&b, " (not installed: %s)", v.Binary)
		}
		b.WriteByte('\n')
	}
	var topics []string
	for _, t := range plugins.Topics() {
		topics = append(topics, t.Name)
	}
	b.WriteString("\nTopics:\n" + wrap("  "+strings.Join(topics, ", ")))
	fmt.Fprintf(&b, "\nSee '%[1]s help VERB' for the flags and examples of a verb,\n'%[1]s help TOPIC' for a page on a topic.\n", env.Program)
	err := ui.Print(env.Stdout, b.String())
	return err
}

// missing returns the siblings that are not installed.
func missing(env cli.Env) map[string]bool {
	places, missing := env.Places(), map[string]bool{}
	for _, name := range plugins.Siblings() {
		_, err := places.Find(name)
		missing[name] = errors.Is(err, plugins.ErrNotInstalled)
	}
	return missing
}

// completeHelp completes the names of verbs and of topics.
func completeHelp(env cli.Env) cobra.CompletionFunc {
	verbs := completeVerb(env)
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		words, directive := verbs(cmd, args, typed)
		for _, t := range plugins.Topics() {
			if len(args) == 0 && strings.HasPrefix(t.Name, typed) {
				words = append(words, t.Name)
			}
		}
		return words, directive
	}
}

// completeVerb completes the names of the verbs that are there. Of those that
// are plugins on PATH themselves kubectl knows, so it need not be told.
func completeVerb(env cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		places, missing := env.Places(), missing(env)
		forKubectl := !cmd.HasParent() && env.Program != plugins.FrontDoor
		var verbs []cobra.Completion
		for _, v := range plugins.Verbs() {
			own := v.Binary == "" && !cmd.HasParent() // cobra knows its commands
			if own || missing[v.Binary] || !strings.HasPrefix(v.Name, typed) || forKubectl && places.IsPlugin(v.Name) {
				continue
			}
			verbs = append(verbs, cobra.CompletionWithDesc(v.Name, v.Short))
		}
		return verbs, cobra.ShellCompDirectiveNoFileComp
	}
}
