// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"context"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
)

const pullLong = `Pull an artifact into a directory, by default the current one, which must be empty
or not exist unless --overwrite is given. REFERENCE is oci://HOST/PATH[:TAG][@DIGEST].
Modules and artifacts for Flux are taken too.

Nothing is written unless the artifact is signed as --key, an identity with its
issuer, and the policy ask for.`

func newPull(env cli.Env) *cobra.Command {
	o := &pulling{access: newAccess(env)}
	cmd := &cobra.Command{
		Use: "pull REFERENCE [DIR]", Short: "Pull an artifact into a directory",
		Long: pullLong,
		Example: cli.Example(env,
			"pull oci://registry.example.com/bundles/prod:1.0.0 ./prod",
			"pull oci://registry.example.com/modules/app:1.0.0 ./vendor --content-type=module/vendor"),
		Args: cli.ArgsBetween(1, 2, "REFERENCE and at most a DIR"), ValidArgsFunction: complete.Operands(o.registry.References, complete.Directories),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cli.Operand(args[1:], "."))
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.version, "version", "v", "", "`VERSION`, or a range such as '>=1.2 <2', of which the newest is pulled")
	fs.StringVar(&o.contentType, "content-type", "", "pull only the layers that hold this")
	fs.BoolVar(&o.overwrite, "overwrite", false, "replace files that are there, and leave others")
	o.registry.AddTo(fs)
	complete.Flag(fs, "version", o.registry.Versions)
	o.signers.AddTo(fs)
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type pulling struct {
	access
	signers              registryflag.Signers
	version, contentType string
	overwrite, quiet     bool
}

func (o *pulling) run(ctx context.Context, reference, dir string) error {
	r, options, err := o.open(reference)
	if err != nil {
		return err
	}
	if r, err = r.Select(o.version, ""); err != nil {
		return err
	}
	if options, err = o.signers.Require(options, &o.registry); err != nil {
		return err
	}
	req := artifact.PullRequest{Reference: r, Dir: dir, ContentType: o.contentType, Overwrite: o.overwrite, OCI: options}
	pulled, err := artifact.PullArtifact(ctx, req, ui.Transfers(o.env.Stderr, o.quiet, true))
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, o.output, pulled)
}

func newDigest(env cli.Env) *cobra.Command {
	o := newAccess(env)
	cmd := &cobra.Command{
		Use: "digest REFERENCE", Short: "Print the digest of an artifact",
		Long:    "Print the digest of the manifest that oci://HOST/PATH[:TAG] has in the registry now.",
		Example: cli.Example(env, "digest oci://registry.example.com/bundles/prod:1.0.0"),
		Args:    cli.Args(1, "REFERENCE"), ValidArgsFunction: complete.Operands(o.registry.References),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, options, err := o.open(args[0])
			if err != nil {
				return err
			}
			found, err := artifact.Digest(cmd.Context(), r, options)
			if err != nil {
				return err
			}
			return ui.Value(env.Stdout, o.output, found)
		},
	}
	o.registry.AddAccessTo(cmd.Flags())
	cli.AddOutput(cmd, &o.output)
	return cmd
}

func newList(env cli.Env) *cobra.Command {
	o := &listing{access: newAccess(env)}
	cmd := &cobra.Command{
		Use: "list REPOSITORY", Aliases: []string{"ls"}, Short: "List the tags of a repository",
		Long: "List the tags of oci://HOST/PATH with their digests, by name; those that only lead\n" +
			"to signatures are left out. With --filter-semver only versions, the newest first.",
		Example: cli.Example(env, "list oci://registry.example.com/bundles/prod",
			"list oci://registry.example.com/bundles/prod --filter-semver '>=1.2 <2' --limit 1"),
		Args: cli.Args(1, "REPOSITORY"), ValidArgsFunction: complete.Operands(o.registry.References),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	registryflag.AddSelectionTo(fs, &o.req.Selection, "tags")
	fs.StringVar(&o.expression, "filter-regex", "", "list the tags that match `REGEX` only")
	o.registry.AddAccessTo(fs)
	cli.AddOutput(cmd, &o.output)
	return cmd
}

type listing struct {
	access
	req        artifact.ListRequest
	expression string
}

func (o *listing) run(ctx context.Context, repository string) (err error) {
	if o.req.Reference, o.req.OCI, err = o.open(repository); err != nil {
		return err
	}
	if err = registryflag.CheckSelection(o.req.Selection); err != nil {
		return err
	}
	if o.expression != "" {
		if o.req.Matching, err = regexp.Compile(o.expression); err != nil {
			return fail.Usagef("--filter-regex: %w", err)
		}
	}
	list, err := artifact.List(ctx, o.req)
	if err != nil {
		return err
	}
	header, rows := o.req.Columns("TAG", list)
	return ui.Rows(o.env.Stdout, o.output, list, header, rows)
}
