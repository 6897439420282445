// SPDX-License-Identifier: Apache-2.0

// Package frontdoor is the command kubectl-timoni: it answers help, version,
// doctor and completion, and hands every other verb to the binary that has it.
package frontdoor

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// New returns the command for the arguments of env: the front door itself, or
// one that becomes the sibling that the arguments ask for.
func New(env cli.Env) *cobra.Command {
	words, completing := env.Args, false
	if len(words) > 1 && (words[0] == cobra.ShellCompRequestCmd || words[0] == cobra.ShellCompNoDescRequestCmd) {
		words, completing = words[1:len(words)-1], true // the last one is being typed
	}
	call, err := plugins.Dispatch(env.Program, words)
	if err == nil && call.Binary == "" {
		return root(env)
	}
	if completing {
		call.Args = slices.Concat(env.Args[:1], call.Args, env.Args[len(env.Args)-1:])
		return completion(forward(env, call, err))
	}
	return forward(env, call, err)
}

// forward returns a command that takes any arguments and becomes the sibling,
// or returns err if there is no such call.
func forward(env cli.Env, call plugins.Call, err error) *cobra.Command {
	become := func() error {
		if err != nil {
			return err
		}
		path, err := env.Places().Find(call.Binary)
		if err != nil {
			return err
		}
		return plugins.Become(plugins.Process{
			Path: path, Argv: append([]string{call.Argv0}, call.Args...), Environ: env.Environ(),
			Stdin: env.Stdin, Stdout: env.Stdout, Stderr: env.Stderr,
		})
	}
	return &cobra.Command{
		Use: plugins.FrontDoor, DisableFlagParsing: true, Args: cobra.ArbitraryArgs,
		RunE: func(*cobra.Command, []string) error { return become() },
	}
}

// completion puts what forwards a request for completions in the place of cobra's
// own command, which on Windows, where the sibling is a child, would print a
// directive after that of the sibling.
func completion(forward *cobra.Command) *cobra.Command {
	forward.Use, forward.Aliases = cobra.ShellCompRequestCmd, []string{cobra.ShellCompNoDescRequestCmd}
	cmd := &cobra.Command{Use: plugins.FrontDoor}
	cmd.AddCommand(forward)
	return cmd
}

// root returns the front door's own commands.
func root(env cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: plugins.FrontDoor, Args: cli.Args(0, "no arguments"), ValidArgsFunction: completeVerb(env),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// What is unknown here is a verb's flag in front of it, such as -A;
		// the verb, which checks it, is still to come.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
	}
	// kubectl's flags may stand before any verb. Our own verbs leave them
	// aside, except for the doctor, which gives them to kubectl.
	for _, f := range plugins.KubectlFlags() {
		if f.Value {
			cmd.PersistentFlags().StringArrayP(f.Name, f.Short, nil, "")
		} else {
			cmd.PersistentFlags().Bool(f.Name, false, "")
		}
		cmd.PersistentFlags().Lookup(f.Name).Hidden = true
	}
	cmd.AddCommand(newVersion(env), newDoctor(env), newCompletion(env))
	cmd.SetHelpCommand(newHelp(env))
	ofChildren := cmd.HelpFunc()
	cmd.SetHelpFunc(func(c *cobra.Command, args []string) {
		if c.HasParent() {
			ofChildren(c, args)
			return
		}
		// Only a closed stdout makes this fail, and then the error is not read.
		_ = printHelp(env)
	})
	return cmd
}

// kubectlArgs returns the flags of kubectl's that were given.
func kubectlArgs(flags *pflag.FlagSet) []string {
	var args []string
	flags.Visit(func(f *pflag.Flag) {
		isKubectls := slices.ContainsFunc(plugins.KubectlFlags(), func(k plugins.Flag) bool { return k.Name == f.Name })
		if !isKubectls {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}
