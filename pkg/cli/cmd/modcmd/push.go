// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/signingflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

const pushLong = `Push a module to an OCI registry.

SOURCE is the module's directory, or the archive that 'mod build' wrote. TARGET is
oci://HOST/PATH[:VERSION]; the version, with --version or in TARGET, is a semantic
version without the prefix v, and becomes the tag.

The same content gives the same digest everywhere: file modes, owners and times
do not count, and what timoni.ignore lists is left out. The date, address and
commit of a Git repository are annotated; SOURCE_DATE_EPOCH and --annotation win.

An SBOM with the images of images.cue and a statement of the source and revision
are pushed with it, as artifacts that refer to it, where the registry supports
that; see 'mod show provenance'. So is the JSON Schema of the values, which
'values schema' writes, unless --skip-vet leaves the module unread. They are not
signed.

The tag latest moves to the version if it is the highest stable one, never to a
pre-release. --latest=false leaves it where it is.

The module is vetted first, with its own values and those of -f and --set, or with
--debug with its debug values; --skip-vet leaves that out. A version that the registry
has is left alone when its content is the same, without vetting it again, and
refused otherwise, unless --force is given.`

// newPush returns the command push.
func newPush(env cli.Env) *cobra.Command {
	o := &pushing{env: env}
	cmd := &cobra.Command{
		Use: "push SOURCE TARGET", Short: "Push a module to a registry", Long: pushLong,
		Example: cli.Example(env,
			"push ./module oci://registry.example.com/modules/app --version 1.2.3",
			"push app.tar oci://registry.example.com/modules/app"),
		Args: cli.Args(2, "SOURCE and TARGET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.WarnLatest = cmd.Flags().Changed("latest")
			return o.run(cmd.Context(), args[0], args[1])
		},
	}
	fs := cmd.Flags()
	o.packing.addTo(cmd)
	fs.BoolVar(&o.latest, "latest", true, "move the tag latest if this is the highest stable version")
	fs.BoolVar(&o.req.Force, "force", false, "move a version that the registry has with other content")
	choice.Flag[oci.Attach]{
		Name: "attest", Usage: "push the SBOM, the provenance and the schema of the values along", Default: oci.AttachAuto,
		Choices: []choice.Choice[oci.Attach]{
			{Word: oci.AttachAuto, Note: "where the registry lists what refers to an artifact"}, {Word: oci.AttachAlways}, {Word: oci.AttachNever},
		},
	}.AddTo(fs, &o.req.Attach)
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	o.signing.AddTo(fs)
	cli.AddOutput(cmd, &o.output)
	o.registry.Process = env
	o.registry.AddAccessTo(fs)
	return cmd
}

type pushing struct {
	env      cli.Env
	packing  packing
	signing  signingflag.Flag
	registry registryflag.Flags
	req      artifact.PushModuleRequest
	output   string
	latest   bool
	quiet    bool
}

func (o *pushing) run(ctx context.Context, source, target string) (err error) {
	if o.req.Target, err = ref.Parse(target); err != nil {
		return err
	}
	if o.req.ModuleRequest, err = o.packing.request(ctx, o.env, source); err != nil {
		return err
	}
	if o.req.OCI, err = o.registry.Options(o.env.Stdin, cli.UserAgent("mod")); err != nil {
		return err
	}
	if o.req.Vet != nil {
		o.req.Schema = o.schema(source)
	}
	o.req.NoLatest = !o.latest
	o.req.ProgramVersion = cli.Version()
	o.req.OCI.Observer = ui.Transfers(o.env.Stderr, o.quiet, true)
	if o.req.Key, err = o.signing.Key(o.env.LookupEnv, ui.Password(o.env.Stdin, o.env.Stderr)); err != nil {
		return err
	}
	pushed, err := artifact.PushModule(ctx, o.req)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, pushed)
}

// schema finds the JSON Schema of the values of the module in a directory, which
// not every module has one of.
func (o *pushing) schema(dir string) func(context.Context) []byte {
	return func(ctx context.Context) []byte {
		r, err := ref.Parse(dir)
		if err != nil {
			return nil
		}
		config, err := mod.ReadConfig(ctx, r, render.DefaultPackage, oci.Options{}, nil)
		if err != nil {
			return nil
		}
		schema, _ := config.JSONSchema()
		return schema
	}
}
