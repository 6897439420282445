// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Main runs the command that newCommand builds with the arguments, streams and
// signals of this process, and returns the exit code.
func Main(newCommand func(Env) *cobra.Command) int {
	env := processEnv()
	if env.Verb == versionVerb && len(env.Args) == 0 {
		return printBuild(env)
	}
	if env.Getenv("GOGC") == "" {
		collectLate()
	}
	ctx, stop := withSignals(context.Background())
	defer stop()
	return int(Run(ctx, env, newCommand))
}

// Run is Main with an Env and a context of the caller's: it runs the command
// and prints its error, if any, once, to env.Stderr.
func Run(ctx context.Context, env Env, newCommand func(Env) *cobra.Command) fail.Code {
	variables := map[string]string{}
	env = env.with(variables)
	cmd := newCommand(env)
	advisers := advisersOf(cmd)
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[cobra.CommandDisplayNameAnnotation] = env.Program
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.CompletionOptions.DisableDefaultCmd = true
	line, err := spelledOurs(cmd, env.Args)
	if err != nil {
		printError(env.Stderr, err)
		return fail.CodeOf(err)
	}
	maps.Copy(variables, line.Env)
	ctx, stop := within(ctx, line.Timeout)
	defer stop()
	cmd.SetArgs(line.Args)
	cmd.SetIn(env.Stdin)
	cmd.SetOut(env.Stdout)
	cmd.SetErr(env.Stderr)
	if isCompletion(env.Args) {
		complete.Register(cmd)
		if limit, wrong := time.ParseDuration(env.Getenv(completionVariable)); wrong == nil {
			ctx = complete.Within(ctx, limit)
		}
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown, ok := errors.AsType[*fail.UnknownWordError](err); ok {
			return unknown
		}
		return fail.Hint(fail.With(fail.Usage, withoutValue(err)), "see '%s --help'", cmd.CommandPath())
	})
	// Before cobra's own check, whose error says no exit code.
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if wrong := cmd.ValidateFlagGroups(); wrong != nil {
			return fail.Hint(fail.With(fail.Usage, wrong), "see '%s --help'", cmd.CommandPath())
		}
		return nil
	}
	err = fail.Advise(cmd.ExecuteContext(ctx), advisers...)
	if late := context.Cause(ctx); err != nil && errors.Is(late, errLate) {
		err = late // not of the request that it interrupted
	}
	if sig, ok := errors.AsType[signalError](context.Cause(ctx)); ok && err != nil {
		fmt.Fprintf(env.Stderr, "error: %s\n", mask.Lines(err.Error()))
		return sig.code
	}
	printError(env.Stderr, err)
	return fail.CodeOf(err)
}

// completionVariable says how long completion waits for a cluster or a registry.
const completionVariable = "TIMONI_COMPLETION_TIMEOUT"

// misspeltRE matches the end of pflag's error about -setpassword=hunter2, a flag
// that misses a hyphen.
var misspeltRE = regexp.MustCompile(` in -[^ ].*$`)

// withoutValue returns an error about a flag without what may be its value.
func withoutValue(err error) error {
	if text := misspeltRE.ReplaceAllString(err.Error(), ""); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// adviceKey is the key of the advisers in the context of a new command.
type adviceKey struct{}

// WithAdvice returns cmd, to whose errors the advisers give exit codes and hints.
// A command brings those of the packages that it links.
func WithAdvice(cmd *cobra.Command, advisers ...fail.Adviser) *cobra.Command {
	cmd.SetContext(context.WithValue(context.Background(), adviceKey{}, advisers))
	return cmd
}

func advisersOf(cmd *cobra.Command) []fail.Adviser {
	if cmd.Context() == nil {
		return nil
	}
	advisers, _ := cmd.Context().Value(adviceKey{}).([]fail.Adviser)
	return advisers
}

// Args returns a validator that wants exactly n operands, which names says in
// words for the error: "NAME and MODULE".
func Args(n int, names string) cobra.PositionalArgs {
	return ArgsBetween(n, n, names)
}

// ArgsBetween returns a validator that wants at least low and at most high
// operands, which names says in words for the error: "at most a DIR".
func ArgsBetween(low, high int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if low <= len(args) && len(args) <= high {
			return nil
		}
		return fail.Hint(countError(cmd, names, args), "see '%s --help'", cmd.CommandPath())
	}
}

func countError(cmd *cobra.Command, names string, args []string) error {
	return fail.Usagef("%s takes %s, not %d arguments", cmd.CommandPath(), names, len(args))
}

// ArgsToWrite is Args of a command whose last operand is the file or directory
// that it writes, which -o names as well unless that is the name of a format.
func ArgsToWrite(n int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if o := cmd.Flags().Lookup("output"); o != nil && o.Changed && len(args) == n-1 {
			return fail.Hint(countError(cmd, names, args),
				"-o %s is a format of what is printed; to write to that name, give -o ./%s", o.Value, o.Value)
		}
		return Args(n, names)(cmd, args)
	}
}

// Operand returns the operand of a command that takes at most one, and absent
// when there is none.
func Operand(args []string, absent string) string {
	if len(args) == 0 {
		return absent
	}
	return args[0]
}

// Example returns the text of examples: each line follows what the person
// typed to get to the binary.
func Example(env Env, lines ...string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("  " + env.Program + " " + line)
	}
	return b.String()
}

// UserAgent is what a binary of a family calls itself towards servers.
func UserAgent(family string) string { return "kubectl-timoni-" + family + "/" + Version() }

// Group returns a command that only holds others. Without arguments it prints
// its help; with an unknown word it fails.
func Group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			err := fail.Usagef("%s has no command %q", cmd.CommandPath(), args[0])
			return fail.Hint(err, "see '%s --help'", cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(children...)
	return cmd
}

func printError(w io.Writer, err error) {
	// An answer of "no" is not an error message: the answer stands in
	// the result. Errors without text are only an exit code.
	if err == nil || err.Error() == "" {
		return
	}
	fmt.Fprintf(w, "error: %s\n", mask.Lines(err.Error()))
	for _, hint := range fail.HintsOf(err) {
		fmt.Fprintf(w, "hint: %s\n", mask.Lines(hint))
	}
}

// signalError is the cause of a context that a signal cancelled.
type signalError struct {
	sig  os.Signal
	code fail.Code
}

func (e signalError) Error() string { return e.sig.String() }

// withSignals returns a context that SIGINT or SIGTERM cancels, with the
// signal as its cause. A second signal ends the process at once.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		sig := <-signals
		signal.Stop(signals)
		code := fail.Interrupted
		if sig == syscall.SIGTERM {
			code = fail.Terminated
		}
		cancel(signalError{sig: sig, code: code})
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
