// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestRun(t *testing.T) {
	t.Parallel()
	type result struct {
		Code           fail.Code
		Stdout, Stderr string
	}
	for name, tc := range map[string]struct {
		args []string
		err  error
		want result
	}{
		"done": {
			args: []string{"do", "a", "b"},
			want: result{0, "ran\n", ""},
		},
		"error with a hint": {
			args: []string{"do", "a", "b"}, err: fail.Hint(errors.New("no module"), "make one"),
			want: result{3, "ran\n", "error: no module\nhint: make one\n"},
		},
		"an answer of no prints nothing": {
			args: []string{"do", "a", "b"}, err: fail.With(fail.No, errors.New("")),
			want: result{1, "ran\n", ""},
		},
		"unknown flag": {
			args: []string{"do", "--nope"},
			want: result{2, "", "error: unknown flag: --nope\nhint: see 'kubectl timoni do --help'\n"},
		},
		"a flag that misses a hyphen": {
			args: []string{"do", "-setpassword=hunter2"},
			want: result{2, "", "error: unknown shorthand flag: 's'\nhint: see 'kubectl timoni do --help'\n"},
		},
		"too few operands": {
			args: []string{"do", "a"},
			want: result{2, "", "error: kubectl timoni do takes NAME and MODULE, not 1 arguments\nhint: see 'kubectl timoni do --help'\n"},
		},
		"unknown command": {
			args: []string{"undo"},
			want: result{2, "", "error: kubectl timoni has no command \"undo\"\nhint: see 'kubectl timoni --help'\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			env := cli.Env{Program: "kubectl timoni", Args: tc.args, Stdout: &stdout, Stderr: &stderr}
			code := cli.Run(context.Background(), env, func(env cli.Env) *cobra.Command {
				return cli.Group("timoni", "Test", &cobra.Command{
					Use: "do NAME MODULE", Args: cli.Args(2, "NAME and MODULE"),
					RunE: func(*cobra.Command, []string) error {
						_, err := env.Stdout.Write([]byte("ran\n"))
						return errors.Join(err, tc.err)
					},
				})
			})
			got := result{code, stdout.String(), stderr.String()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
