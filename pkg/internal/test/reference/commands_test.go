// SPDX-License-Identifier: Apache-2.0

// Package reference_test writes the pages of the commands, in Markdown and for man,
// from the commands themselves.
package reference_test

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/applycmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/artifactcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/buildcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/frontdoor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/instancecmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/krmcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/modcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// program is what is typed to get to every command.
const program = "kubectl timoni"

func binaries() map[string]func(cli.Env) *cobra.Command {
	return map[string]func(cli.Env) *cobra.Command{
		"":                        frontdoor.New,
		"kubectl-timoni-apply":    applycmd.New,
		"kubectl-timoni-artifact": artifactcmd.New,
		"kubectl-timoni-build":    buildcmd.New,
		"kubectl-timoni-bundle":   applycmd.NewBundle,
		"kubectl-timoni-instance": instancecmd.New,
		"kubectl-timoni-mod":      modcmd.New,
		plugins.Function:          krmcmd.New,
	}
}

// isSynonym reports whether a verb only gives other names to what others do.
func isSynonym(verb string) bool {
	return slices.Contains([]string{"install", "upgrade", "instance", "help"}, verb)
}

// verbs returns the verbs that have a page, in the order of the help.
func verbs() []plugins.Verb {
	return slices.DeleteFunc(plugins.Verbs(), func(v plugins.Verb) bool { return isSynonym(v.Name) })
}

// command returns the command of a verb, as its binary has it.
func command(verb string) (*cobra.Command, error) {
	call, err := plugins.Dispatch(program, []string{verb})
	if err != nil {
		return nil, err
	}
	env := cli.Env{Program: program, Args: []string{verb}, LookupEnv: func(string) (string, bool) { return "", false }}
	env.Executable = func() (string, error) { return plugins.FrontDoor, nil }
	if call.Binary != "" {
		env.Program, env.Args = call.Argv0, call.Args
	}
	env.Verb = env.Program[strings.LastIndexByte(env.Program, ' ')+1:]
	root := binaries()[call.Binary](env)
	if root.Annotations == nil {
		root.Annotations = map[string]string{}
	}
	root.Annotations[cobra.CommandDisplayNameAnnotation] = env.Program
	cmd, _, err := root.Find(env.Args)
	return cmd, err
}

// family returns a command and those below it, depth first.
func family(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			all = append(all, family(child)...)
		}
	}
	return all
}

// flagsOf returns the flags of a command that its help shows, and whether it
// takes kubectl's, which are documented once.
func flagsOf(cmd *cobra.Command) (own []*pflag.Flag, kubectls bool) {
	visit := func(f *pflag.Flag) {
		switch {
		case f.Hidden || f.Deprecated != "" || f.Name == "help":
		case isKubectls(f):
			kubectls = true
		default:
			own = append(own, f)
		}
	}
	cmd.NonInheritedFlags().VisitAll(visit)
	cmd.InheritedFlags().VisitAll(visit)
	slices.SortFunc(own, func(a, b *pflag.Flag) int { return strings.Compare(a.Name, b.Name) })
	return own, kubectls
}

// isKubectls reports whether a flag is one that every command on a cluster takes
// from kubectl.
func isKubectls(f *pflag.Flag) bool {
	return slices.ContainsFunc(plugins.KubectlFlags(), func(k plugins.Flag) bool {
		return k.Name == f.Name && k.Short == f.Shorthand && k.Name != "v"
	})
}

// flagWords returns a flag as it is typed, and what its help says of it.
func flagWords(f *pflag.Flag) (typed, says string) {
	value, says := pflag.UnquoteUsage(f)
	typed = "--" + f.Name
	if f.Shorthand != "" {
		typed = "-" + f.Shorthand + ", " + typed
	}
	if value != "" {
		typed += " " + value
	}
	switch f.DefValue {
	case "", "false", "[]", "0", "0s":
	default:
		if f.Name != "cache-dir" { // it is in the home directory of the user
			says += " (default " + f.DefValue + ")"
		}
	}
	return typed, says
}
