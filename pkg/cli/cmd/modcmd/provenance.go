// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

const showProvenanceLong = `Show where a module in a registry comes from: what its annotations say, and the
statements of provenance (in-toto, SLSA) and SBOMs (CycloneDX) that refer to it.

What is shown has the digests that are shown. Who wrote it is not verified here:
for that, sign modules and see 'kubectl timoni artifact verify --help'.`

func newShowProvenance(env cli.Env) *cobra.Command {
	o := &showing{env: env}
	cmd := o.command("provenance MODULE", "Show the source, images and attestations of a module", func(ctx context.Context, m ref.Reference, options oci.Options) error {
		p, err := artifact.ReadProvenance(ctx, m, options, ui.Transfers(env.Stderr, false, false))
		if err != nil {
			return err
		}
		return ui.Value(env.Stdout, o.output, p)
	})
	cmd.Args = cli.Args(1, "MODULE")
	cmd.Long = showProvenanceLong
	cmd.Example = cli.Example(env, "show provenance oci://registry.example.com/modules/app:1.0.0", "show provenance oci://registry.example.com/modules/app:1.0.0 -o json")
	cli.AddOutput(cmd, &o.output)
	return cmd
}
