// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

const fmtLong = `Format CUE files.

PATH is a file or a directory, by default the current one. The files are changed
in place and their names printed. In a directory, cue.mod is left alone: it holds
what others wrote. With - the standard input is formatted to standard output.

With --diff or --check nothing is changed, and the exit code is 1 when a file is
not formatted.`

// newFmt returns the command fmt.
func newFmt(env cli.Env) *cobra.Command {
	o := &formatting{env: env}
	cmd := &cobra.Command{
		Use: "fmt [PATH…]", Short: "Format the CUE files of a module", Long: fmtLong,
		Example: cli.Example(env, "fmt", "fmt --diff ./module", "fmt - < values.cue"),
		RunE: func(_ *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"-"}) {
				return o.stdin()
			}
			return o.files(args)
		},
	}
	cmd.Flags().BoolVarP(&o.diff, "diff", "d", false, "print what would change, as a unified diff, instead of changing it")
	cmd.Flags().BoolVar(&o.check, "check", false, "print the names of the files that would change, instead of changing them")
	cmd.MarkFlagsMutuallyExclusive("diff", "check")
	return cmd
}

type formatting struct {
	env         cli.Env
	diff, check bool
}

func (o *formatting) files(paths []string) error {
	if slices.Contains(paths, "-") {
		return fail.Usagef("- is the standard input and cannot be combined with files")
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	changed, err := mod.Format(paths)
	if err != nil {
		return err
	}
	for _, f := range changed {
		if err := o.report(f); err != nil {
			return err
		}
	}
	return o.answer(len(changed) > 0)
}

// stdin formats the standard input. It prints the whole of it, changed or not,
// unless only the difference was asked for.
func (o *formatting) stdin() error {
	before, err := io.ReadAll(o.env.Stdin)
	if err != nil {
		return fmt.Errorf("read the standard input: %w", err)
	}
	after, err := mod.FormatSource("<stdin>", before)
	if err != nil {
		return err
	}
	f := mod.Formatted{Path: "<stdin>", Before: before, New: after}
	changed := !bytes.Equal(after, before)
	switch {
	case !o.diff && !o.check:
		err = ui.Raw(o.env.Stdout, after)
	case changed:
		err = o.report(f)
	}
	return errors.Join(err, o.answer(changed))
}

// report prints the finding on a file that is not formatted, and
// changes it unless it is only to be looked at.
func (o *formatting) report(f mod.Formatted) error {
	if o.diff {
		err := ui.Raw(o.env.Stdout, f.Diff())
		return err
	}
	if !o.check {
		if err := f.Write(); err != nil {
			return err
		}
	}
	_, err := ui.Println(o.env.Stdout, f.Path)
	return err
}

// answer is the exit code of a question: were all files formatted?
func (o *formatting) answer(changed bool) error {
	if changed && (o.diff || o.check) {
		return fail.Silent(fail.No)
	}
	return nil
}
