// SPDX-License-Identifier: Apache-2.0

package complete_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
)

// offered returns what a command offers in place of the last argument.
func offered(t *testing.T, cmd *cobra.Command, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(new(bytes.Buffer))
	cmd.SetArgs(append([]string{cobra.ShellCompRequestCmd}, args...))
	cmd.Run = func(*cobra.Command, []string) {}
	complete.Register(cmd)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestOperands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		words []string
		typed string
		want  string
	}{
		"none":                   {nil, "", ":36\n"},
		"what begins so":         {[]string{"app", "api", "web"}, "a", "app\napi\n:36\n"},
		"a description":          {[]string{"app\t1.0.0 Applied"}, "", "app\t1.0.0 Applied\n:36\n"},
		"a hostile description":  {[]string{"app\t1\x1b[31m$(touch a);`b`\nc"}, "", "app\t1 31m touch a b c\n:36\n"},
		"a long description":     {[]string{"app\t" + strings.Repeat("x", 90)}, "", "app\t" + strings.Repeat("x", 80) + "\n:36\n"},
		"what goes on":           {[]string{"a.b=", "oci://"}, "", "a.b=\noci://\n:38\n"},
		"one that does not":      {[]string{"a=", "b"}, "", "a=\nb\n:36\n"},
		"commands":               {[]string{"$(a)", "`a`", "a;b", "a|b", "a&b", "a>b", "$a", "a\nb", "a b", "a'b", `a"b`, `a\b`, "a{b,c}", "a*", "a?", "!a", "~a", "=a", "%1", "-rf", "@a", "a\x1b[2J", "é"}, "", ":36\n"},
		"contexts of kubeconfig": {[]string{"arn:aws:eks:eu-1:1:cluster/a", "me@cluster_1"}, "", "arn:aws:eks:eu-1:1:cluster/a\nme@cluster_1\n:36\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := &cobra.Command{Use: "a", ValidArgsFunction: complete.Operands(complete.Words(test.words...))}
			if diff := cmp.Diff(test.want, offered(t, cmd, test.typed)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A source that never answers is not waited for longer than the limit.
func TestLimit(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	hangs := func(context.Context, []string, string) []string { <-never; return []string{"late"} }
	cmd := &cobra.Command{Use: "a", ValidArgsFunction: complete.Operands(hangs)}
	if got := offered(t, cmd, ""); got != ":36\n" {
		t.Errorf("offers %q", got)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	newCommand := func() *cobra.Command {
		cmd := &cobra.Command{Use: "a", ValidArgsFunction: complete.Each(complete.Words("x", "y\tdone"))}
		var level string
		choice.Flag[string]{Name: "level", Usage: "how far", Choices: []choice.Choice[string]{{Word: "minor", Note: "default"}, {Word: "major"}}}.AddTo(cmd.Flags(), &level)
		cmd.Flags().String("name", "", "")
		complete.Flag(cmd.Flags(), "name", func(_ context.Context, args []string, _ string) []string { return args })
		return cmd
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"choices":       {[]string{"--level", ""}, "minor\tdefault\nmajor\n:36\n"},
		"one of them":   {[]string{"--level=ma"}, "major\n:36\n"},
		"operands":      {[]string{"app", "--name", ""}, "app\n:36\n"},
		"each operand":  {[]string{""}, "x\ny\tdone\n:36\n"},
		"the other one": {[]string{"y", ""}, "x\n:36\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, offered(t, newCommand(), test.args...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	cmd := &cobra.Command{Use: "a", ValidArgsFunction: complete.Operands(complete.Directories)}
	if got := offered(t, cmd, ""); got != ":16\n" {
		t.Errorf("offers %q", got)
	}
	if got := offered(t, cmd, "dir", ""); got != ":4\n" {
		t.Errorf("offers %q behind the last operand", got)
	}
}

// The value of a flag that is completed is parsed as before.
func TestValue(t *testing.T) {
	t.Parallel()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	names := fs.StringSlice("names", nil, "")
	complete.Flag(fs, "names", complete.Words("a"))
	if err := fs.Parse([]string{"--names=a,b", "--names", "c"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, *names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
