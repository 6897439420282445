// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/keylessflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/signingflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

const pushLong = `Push a directory, a file or the standard input to an OCI registry as an artifact.

TARGET is oci://HOST/PATH[:TAG]; without a tag there and without --tag the artifact
is tagged latest. A tag that points to other content is moved with --force only,
except latest, which always moves.

With --format=flux the artifact is one that Flux's OCIRepository takes: what
renders on the standard input goes to a cluster without further tools. The same
content gives the same digest everywhere.`

// packing are the flags of the commands that pack an artifact.
type packing struct {
	source, name, contentType string
	format                    archive.Format
	resolveSymlinks           bool
	annotations               registryflag.Annotations
}

func (p *packing) addTo(fs *pflag.FlagSet) {
	fs.StringVarP(&p.source, "filename", "f", ".", "`PATH` of the directory or file to pack, - for the standard input")
	fs.StringVar(&p.name, "name", "", "`NAME` that the standard input has as a file in the artifact")
	fs.StringVar(&p.contentType, "content-type", "", "what the artifact holds, \"generic\" by default")
	choice.Flag[archive.Format]{
		Name: "format", Usage: "`FORMAT` of the artifact", Default: archive.FormatTimoni, Choices: choice.Of(archive.FormatTimoni, archive.FormatFlux),
	}.AddTo(fs, &p.format)
	fs.BoolVar(&p.resolveSymlinks, "resolve-symlinks", false, "pack what symbolic links point to, in their place")
	p.annotations.AddTo(fs)
}

// request checks the flags. credsStdin says that the standard input is taken.
func (p *packing) request(env cli.Env, credsStdin bool) (artifact.ArtifactRequest, error) {
	switch {
	case p.source == "":
		return artifact.ArtifactRequest{}, fail.Usagef("-f: the path is empty")
	case p.source == "-" && credsStdin:
		return artifact.ArtifactRequest{}, fail.Usagef("--creds-stdin and -f - cannot both read the standard input")
	case p.source != "-" && p.name != "":
		return artifact.ArtifactRequest{}, fail.Usagef("--name is for the standard input: files have names")
	case p.format == archive.FormatFlux && p.contentType != "":
		return artifact.ArtifactRequest{}, fail.Usagef("an artifact for Flux has no content type")
	}
	annotations, err := p.annotations.Map()
	return artifact.ArtifactRequest{
		Source: p.source, Stdin: env.Stdin, Name: p.name,
		Metadata:    artifact.Metadata{Annotations: annotations, SourceDateEpoch: env.Getenv("SOURCE_DATE_EPOCH")},
		ContentType: p.contentType, Format: p.format, ResolveSymlinks: p.resolveSymlinks,
		Observer: ui.Transfers(env.Stderr, true, false),
	}, err
}

func newPush(env cli.Env) *cobra.Command {
	o := &pushing{access: newAccess(env)}
	cmd := &cobra.Command{
		Use: "push TARGET -f PATH", Short: "Push a directory, a file or the standard input", Long: pushLong,
		Example: cli.Example(env,
			"push oci://registry.example.com/bundles/prod:1.0.0 -f ./bundles --content-type=timoni.sh/bundles",
			"push oci://registry.example.com/manifests/app:1.0.0 -f - --format=flux"),
		Args: cli.Args(1, "TARGET"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	o.packing.addTo(fs)
	fs.StringArrayVarP(&o.req.Tags, "tag", "t", nil, "`TAG` of the artifact; may be repeated")
	fs.BoolVar(&o.req.Force, "force", false, "move tags that point to other content")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	o.signing.AddTo(fs)
	o.keyless.AddTo(fs)
	o.registry.AddAccessTo(fs)
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type pushing struct {
	access
	packing packing
	signing signingflag.Flag
	keyless keylessflag.Flags
	req     artifact.PushArtifactRequest
	quiet   bool
}

func (o *pushing) run(ctx context.Context, target string) (err error) {
	if o.req.ArtifactRequest, err = o.packing.request(o.env, o.registry.ReadsStdin()); err != nil {
		return err
	}
	if o.req.Target, o.req.OCI, err = o.open(target); err != nil {
		return err
	}
	o.req.OCI.Observer = ui.Transfers(o.env.Stderr, o.quiet, true)
	if o.req.Signing, err = signing(o.env, &o.signing, &o.keyless); err != nil {
		return err
	}
	pushed, err := artifact.PushArtifact(ctx, o.req)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, pushed)
}

func newBuild(env cli.Env) *cobra.Command {
	var p packing
	var tag, output string
	var layout archive.Layout
	cmd := &cobra.Command{
		Use: "build OUTPUT -f PATH", Short: "Pack an artifact into an OCI archive or layout",
		Long: "Pack an artifact as push does, without a registry: into one archive when OUTPUT\n" +
			"ends in .tar, otherwise into a directory, which must be empty or not exist.\n" +
			"--layout decides otherwise.",
		Example: cli.Example(env, "build bundles.tar -f ./bundles"),
		Args:    cli.Args(1, "OUTPUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := p.request(env, false)
			if err != nil {
				return err
			}
			built, err := artifact.BuildArtifact(cmd.Context(), req, tag, args[0], layout)
			if err != nil {
				return err
			}
			return ui.Value(env.Stdout, output, built)
		},
	}
	p.addTo(cmd.Flags())
	cmd.Flags().StringVarP(&tag, "tag", "t", "", "`TAG` that the archive names")
	registryflag.AddLayoutTo(cmd.Flags(), &layout)
	cli.AddOutput(cmd, &output)
	return cmd
}

func newTag(env cli.Env) *cobra.Command {
	o := newAccess(env)
	cmd := &cobra.Command{
		Use: "tag REFERENCE TAG…", Short: "Point tags to an artifact",
		Long: "Point tags to the artifact that REFERENCE, oci://HOST/PATH:TAG or …@DIGEST, names,\n" +
			"whatever they pointed to. Nothing is downloaded but the manifest.",
		Example: cli.Example(env, "tag oci://registry.example.com/bundles/prod:1.0.0 stable"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fail.Usagef("%s takes REFERENCE and at least one TAG", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, options, err := o.open(args[0])
			if err != nil {
				return err
			}
			tagged, err := artifact.Tag(cmd.Context(), r, args[1:], options)
			if err != nil {
				return err
			}
			if o.output != "" {
				return ui.Structured(env.Stdout, o.output, tagged)
			}
			for _, tag := range tagged.Tags {
				if _, err = ui.Printf(env.Stdout, "tagged %s:%s (%s)\n", tagged.Repository, tag, tagged.Digest); err != nil {
					return err
				}
			}
			return nil
		},
	}
	o.registry.AddAccessTo(cmd.Flags())
	cli.AddOutput(cmd, &o.output)
	return cmd
}
