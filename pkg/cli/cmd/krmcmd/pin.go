// SPDX-License-Identifier: Apache-2.0

package krmcmd

import (
	"cmp"
	"context"
	"math"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
)

const pinLong = `Write the version and the digest of modules into function configs, so that each
build has the same modules, and finds them in the cache.

FILE is a file in YAML with function configs of krm.timoni.sh. A range of versions
becomes the newest version in it, and no version the one that latest is. The digest
becomes the one that the version has in the registry now. Nothing else in the files
changes, neither comments nor spaces.

A module is pulled before it is named, and the policy and the key of the config
must let its signature pass. If one of them cannot be taken, nothing is written.`

type pinOptions struct {
	env          cli.Env
	registry     option.Registry
	output       string
	dryRun, diff bool
}

func newPin(env cli.Env) *cobra.Command {
	o := &pinOptions{env: env, registry: option.Registry{Process: env}}
	cmd := &cobra.Command{
		Use: "pin FILE...", Short: "Write versions and digests into function configs", Long: pinLong,
		Example: cli.Example(env, "pin web.yaml", "pin overlays/*/web.yaml --dry-run --diff"),
		Args:    cli.ArgsBetween(1, math.MaxInt, "one FILE or more"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	fs := cmd.Flags()
	o.registry.AddTo(fs)
	cli.AddOutput(cmd, &o.output)
	fs.BoolVar(&o.dryRun, "dry-run", false, "write nothing")
	fs.BoolVar(&o.diff, "diff", false, "show how the files change")
	return cmd
}

func (o *pinOptions) run(ctx context.Context, files []string) error {
	if o.diff && o.output != "" {
		return fail.Usagef("--diff is for people: leave out -o %s", o.output)
	}
	registry, err := o.registry.Options(cli.Until(ctx, o.env.Stdin), cli.UserAgent("pin"))
	if err != nil {
		return err
	}
	pinned, rewritten, err := function.Pin(ctx, function.PinRequest{Files: files, OCI: registry, DryRun: o.dryRun}, ui.Transfers(o.env.Stderr, false, false))
	if err != nil {
		return err
	}
	if o.output != "" {
		return ui.Structured(o.env.Stdout, o.output, pinned)
	}
	if o.diff {
		for _, f := range rewritten {
			if err = ui.Patch(o.env.Stdout, f.Diff(), o.env.Getenv("NO_COLOR") == ""); err != nil {
				return err
			}
		}
	}
	return o.print(pinned)
}

func (o *pinOptions) print(pinned []function.Pinned) error {
	suffix := ""
	if o.dryRun {
		suffix = " (dry run)"
	}
	for _, p := range pinned {
		version := cmp.Or(p.To, "latest")
		if p.Version != "" && p.Version != p.To {
			version = p.Version + " → " + p.To
		}
		digest := p.Digest
		if p.Before != "" && p.Before != p.Digest {
			digest = p.Before + " → " + p.Digest
		}
		if _, err := ui.Printf(o.env.Stdout, "%s: %s: %s %s @%s%s\n", p.File, p.Config, p.Field, version, digest, suffix); err != nil {
			return err
		}
	}
	if len(pinned) > 0 {
		return nil
	}
	_, err := ui.Println(o.env.Stdout, "all are pinned: nothing changes")
	return err
}
