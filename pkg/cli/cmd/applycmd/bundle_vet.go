// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
)

const bundleVetLong = `Read the files of a bundle, render its instances and print what is wrong with
them. A cluster is asked only for the values that a runtime reads there; where it
names several, the bundle is vetted for each.

--print-value prints what the files and the runtime come to, as a bundle in CUE,
with *** for what was read from Secrets.

The exit code is 1 when the bundle is not valid.`

type bundleVet struct {
	*bundleOptions
	output     string
	printValue bool
	validation option.Validation
}

func newBundleVet(env cli.Env) *cobra.Command {
	o := &bundleVet{bundleOptions: newBundleOptions(env)}
	cmd := &cobra.Command{
		Use: "vet -f FILE", Short: "Check that a bundle is valid", Long: bundleVetLong,
		Example: cli.Example(env, "vet -f bundle.cue", "vet -f bundle.cue --runtime-from-env --print-value"),
		Args:    cli.Args(0, "no arguments, the bundle with -f"),
		RunE:    o.runE(func(ctx context.Context, _ []string) error { return o.run(ctx) }),
	}
	o.addTo(cmd.Flags())
	o.validation.AddFilesTo(cmd.Flags())
	o.validation.AddSchemaTo(cmd.Flags())
	cli.AddOutput(cmd, &o.output)
	cmd.Flags().BoolVar(&o.printValue, "print-value", false, "print what the bundle comes to")
	return cmd
}

func (o *bundleVet) run(ctx context.Context) error {
	if o.printValue && o.output != "" {
		return fail.Usagef("--print-value prints CUE: leave out -o %s", o.output)
	}
	observer := ui.Transfers(o.env.Stderr, false, false)
	req, err := o.rendering(ctx, &o.validation, observer)
	if err != nil {
		return err
	}
	req.Render.KubeVersion = o.env.Getenv(option.KubeVersionVariable)
	req.Render.BuiltIns = o.validation.BuiltIns()
	clusters, err := offlineSites(o.kube, req.Definition, observer)
	if err != nil {
		return err
	}
	var all []*fleet.Vetted
	valid := true
	var failed error
	for _, site := range clusters {
		var v *fleet.Vetted
		var b *fleet.Bundle
		if v, b, failed = fleet.Vet(ctx, site, req, observer); failed == nil {
			failed = o.print(v, b)
		}
		if failed != nil {
			break
		}
		all, valid = append(all, v), valid && v.Valid
	}
	if o.output != "" && (failed == nil || all != nil) {
		failed = errors.Join(failed, ui.Structured(o.env.Stdout, o.output, all))
	}
	if failed == nil && !valid {
		failed = fail.Silent(fail.No)
	}
	return failed
}

// print writes the result for a person.
func (o *bundleVet) print(v *fleet.Vetted, b *fleet.Bundle) error {
	if o.output != "" {
		return nil
	}
	if o.printValue && b != nil {
		text, err := b.Format()
		if err == nil {
			err = ui.Print(o.env.Stdout, b.MaskText(string(text)))
		}
		if err != nil {
			return err
		}
	}
	on := ""
	if v.Cluster != "" {
		on = fmt.Sprintf(" on cluster %s", v.Cluster)
	}
	for _, p := range v.Problems {
		if _, err := ui.Printf(o.env.Stdout, "error%s: %s\n", on, p); err != nil {
			return err
		}
	}
	objects := 0
	for _, in := range v.Instances {
		objects += in.Objects
		if in.Problem != "" {
			if _, err := ui.Printf(o.env.Stdout, "error%s: %s\n", on, in.Problem); err != nil {
				return err
			}
		}
	}
	if !v.Valid || o.printValue {
		return nil
	}
	_, err := ui.Printf(o.env.Stdout, "bundle %s is valid%s: %d instances, %d objects\n", v.Name, on, len(v.Instances), objects)
	return err
}
