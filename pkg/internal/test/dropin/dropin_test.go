// SPDX-License-Identifier: Apache-2.0

// Package dropin_test holds that what is typed for Timoni is taken here.
package dropin_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/applycmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/artifactcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/buildcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/frontdoor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/instancecmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/modcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/spelling"
)

// binaries are those that a line may be dispatched to.
func binaries() map[string]func(cli.Env) *cobra.Command {
	return map[string]func(cli.Env) *cobra.Command{
		"":                        frontdoor.New,
		"kubectl-timoni-apply":    applycmd.New,
		"kubectl-timoni-artifact": artifactcmd.New,
		"kubectl-timoni-build":    buildcmd.New,
		"kubectl-timoni-bundle":   applycmd.NewBundle,
		"kubectl-timoni-instance": instancecmd.New,
		"kubectl-timoni-mod":      modcmd.New,
	}
}

// taken is how a command line was understood.
type taken struct {
	Command string
	Args    []string
	Flags   map[string]string
	Error   string
	Code    fail.Code
}

// run dispatches a command line as the front door does and parses it as the
// binary does, up to the point where the command would begin to work.
func run(args []string) taken {
	const program = "kubectl timoni"
	call, err := plugins.Dispatch(program, args)
	if err != nil {
		return taken{Error: err.Error(), Code: fail.CodeOf(err)}
	}
	env := cli.Env{Program: program, Verb: "timoni", Args: args}
	if call.Binary != "" {
		env.Program, env.Args = call.Argv0, call.Args
		env.Verb = call.Argv0[strings.LastIndexByte(call.Argv0, ' ')+1:]
	}
	var stdout, stderr bytes.Buffer
	env.Stdin, env.Stdout, env.Stderr = strings.NewReader(""), &stdout, &stderr
	env.LookupEnv = func(string) (string, bool) { return "", false }
	env.Executable = func() (string, error) { return os.Args[0], nil }
	got := taken{Flags: map[string]string{}}
	got.Code = cli.Run(context.Background(), env, func(env cli.Env) *cobra.Command {
		root := binaries()[call.Binary](env)
		record(root, &got)
		return root
	})
	got.Error = stderr.String()
	return got
}

// record has each command say how it was called instead of doing it.
func record(cmd *cobra.Command, got *taken) {
	if cmd.Run != nil || cmd.RunE != nil {
		cmd.Run = nil
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			got.Command, got.Args = cmd.CommandPath(), args
			cmd.Flags().Visit(func(f *pflag.Flag) { got.Flags[f.Name] = f.Value.String() })
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		record(child, got)
	}
}

// Every documented command line is accepted. One after the other, because a
// command sets the logs of Kubernetes' libraries for its whole process.
func TestDocumented(t *testing.T) {
	all := slices.Concat(documented(), documentedBundles())
	for _, text := range all {
		t.Run(text, func(t *testing.T) {
			if got := run(strings.Fields(text)); got.Code != 0 || got.Command == "" {
				t.Errorf("exit code %d: %s", got.Code, got.Error)
			}
		})
	}
	t.Logf("%d command lines", len(all))
}

func TestKeyless(t *testing.T) {
	for _, text := range keyless() {
		if got := run(strings.Fields(text)); got.Code != fail.Usage || !strings.Contains(got.Error, "artifact sign") {
			t.Errorf("%s: exit code %d: %s", text, got.Code, got.Error)
		}
	}
}

// Each spelling is accepted, is not in the help of its command, and is in the
// page for those who come from Timoni.
func TestSpellings(t *testing.T) {
	page := readPage(t)
	for _, s := range spelling.Table() {
		t.Run(s.Theirs, func(t *testing.T) {
			if !strings.Contains(page, row(s)) {
				t.Errorf("docs/moving-from-timoni.md has no line for it; run UPDATE=1 go test ./pkg/internal/test/dropin")
			}
			if s.Example == nil {
				return
			}
			got := run(s.Example)
			if got.Code != 0 || got.Command == "" {
				t.Fatalf("%s: exit code %d: %s", strings.Join(s.Example, " "), got.Code, got.Error)
			}
			if !s.Shown {
				checkHidden(t, s)
			}
		})
	}
}

// checkHidden makes sure that the help of a spelling's command does not show it.
func checkHidden(t *testing.T, s spelling.Spelling) {
	t.Helper()
	help := helpOf(t, s.Example)
	for _, flag := range s.Flags() {
		if len(flag) > 1 && !s.Also && strings.Contains(help, "--"+flag+" ") {
			t.Errorf("the help shows --%s:\n%s", flag, help)
		}
	}
	if words := s.Words(); words != nil && strings.Contains(help, "timoni "+strings.Join(words, " ")) {
		t.Errorf("the help shows %q:\n%s", words, help)
	}
}

// helpOf returns the help of the command of a line.
func helpOf(t *testing.T, args []string) string {
	t.Helper()
	call, err := plugins.Dispatch("kubectl timoni", append(slices.Clone(args), "--help"))
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	env := cli.Env{
		Program: call.Argv0, Verb: call.Argv0[strings.LastIndexByte(call.Argv0, ' ')+1:], Args: call.Args, Stdout: &out, Stderr: &stderr,
		LookupEnv: func(string) (string, bool) { return "", false }, Executable: func() (string, error) { return os.Args[0], nil },
	}
	if code := cli.Run(t.Context(), env, binaries()[call.Binary]); code != 0 {
		t.Fatalf("%v --help: %s", args, stderr.String())
	}
	return out.String()
}

const pageFile = "../../../../docs/moving-from-timoni.md"

// The lines before and after the table of the page.
const (
	tableBegin = "<!-- table:begin -->\n"
	tableEnd   = "<!-- table:end -->\n"
)

// readPage returns the page, once its table is written where that is asked for.
func readPage(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), tableBegin)
	_, tail, hasEnd := strings.Cut(rest, tableEnd)
	if !ok || !hasEnd {
		t.Fatalf("%s has no lines %q and %q", pageFile, tableBegin, tableEnd)
	}
	var table strings.Builder
	table.WriteString("\n| Timoni | here | |\n|---|---|---|\n")
	for _, s := range spelling.Table() {
		table.WriteString(row(s))
	}
	want := head + tableBegin + table.String() + "\n" + tableEnd + tail
	if os.Getenv("UPDATE") != "" {
		if err = os.WriteFile(pageFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("%s (-want +got), run UPDATE=1 go test ./pkg/internal/test/dropin:\n%s", pageFile, diff)
	}
	return want
}

// row returns the line of the page's table for a spelling.
func row(s spelling.Spelling) string {
	cell := func(text string) string {
		if text == "" {
			return ""
		}
		return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
	}
	return fmt.Sprintf("| %s | %s | %s |\n", cell(s.Theirs), cell(s.Ours), s.Note)
}
