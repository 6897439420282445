// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

const bundleUpdateLong = `Write the newest versions of modules into the files of a bundle. Nothing else in the
files changes, neither comments nor spaces.

A version changes to the newest minor one, or as --level says. An attribute behind
the version or the digest says more; in YAML it stands in a comment:

    version: "1.2.0" @timoni(update:semver:>=1.0.0 <3.0.0)   a range
    digest: "sha256:…" @timoni(update:digest)                that of the version's tag
    version: "1.2.0" @timoni(update:none)                    never

A digest changes together with its version; --pin adds those that are missing. A
version is taken only when the module can be pulled and the policy accepts its
signature. If one of them cannot be taken, nothing is written.`

type bundleUpdate struct {
	*bundleOptions
	output            string
	level             ref.Level
	pin, dryRun, diff bool
}

func newBundleUpdate(env cli.Env) *cobra.Command {
	o := &bundleUpdate{bundleOptions: newBundleOptions(env)}
	cmd := &cobra.Command{
		Use: "update -f FILE", Short: "Write the newest versions of modules into the files of a bundle", Long: bundleUpdateLong,
		Example: cli.Example(env, "update -f bundle.cue --dry-run --diff", "update -f bundle.cue --level patch --pin"),
		Args:    cli.Args(0, "no arguments, the bundle with -f"),
		RunE:    o.runE(func(ctx context.Context, _ []string) error { return o.run(ctx) }),
	}
	fs := cmd.Flags()
	o.addTo(fs)
	cli.AddOutput(cmd, &o.output)
	choice.Flag[ref.Level]{
		Name: "level", Usage: "how far a version may change, if its attribute does not say it",
		Choices: []choice.Choice[ref.Level]{{Word: ref.Patch}, {Word: ref.Minor, Note: "default"}, {Word: ref.Major}},
	}.AddTo(fs, &o.level)
	fs.BoolVar(&o.pin, "pin", false, "add the digest of each version that has none")
	fs.BoolVar(&o.dryRun, "dry-run", false, "write nothing")
	fs.BoolVar(&o.diff, "diff", false, "show how the files change")
	return cmd
}

func (o *bundleUpdate) run(ctx context.Context) error {
	if o.diff && o.output != "" {
		return fail.Usagef("--diff is for people: leave out -o %s", o.output)
	}
	observer := ui.Transfers(o.env.Stderr, false, false)
	req, err := o.request(ctx, observer)
	if err != nil {
		return err
	}
	clusters, err := offlineSites(o.kube, req.Definition, observer)
	if err != nil {
		return err
	}
	if len(clusters) > 1 {
		return fail.Hint(fail.Usagef("the runtime %q has %d clusters, and the files are the same for all", req.Definition.Name, len(clusters)),
			"select one with --runtime-cluster %s", clusters[0].Name)
	}
	updates, files, err := fleet.UpdateFiles(ctx, clusters[0], fleet.UpdateRequest{Request: req, Level: o.level, Pin: o.pin, DryRun: o.dryRun}, observer)
	if err != nil {
		return err
	}
	return o.print(updates, files)
}

func (o *bundleUpdate) print(updates []fleet.Update, files []pin.Rewritten) error {
	if o.output != "" {
		return ui.Structured(o.env.Stdout, o.output, updates)
	}
	if o.diff {
		for _, f := range files {
			if err := ui.Patch(o.env.Stdout, f.Diff(), o.env.Getenv("NO_COLOR") == ""); err != nil {
				return err
			}
		}
	}
	suffix := ""
	if o.dryRun {
		suffix = " (dry run)"
	}
	for _, u := range updates {
		if _, err := ui.Printf(o.env.Stdout, "%s: %s%s\n", u.Instance, changeText(u), suffix); err != nil {
			return err
		}
	}
	if len(updates) > 0 {
		return nil
	}
	_, err := ui.Println(o.env.Stdout, "no newer version is allowed: nothing changes")
	return err
}

func changeText(u fleet.Update) string {
	text := u.Version
	if u.To != u.Version {
		text += " → " + u.To
	}
	if u.Digest != "" {
		text += " @" + u.Digest
	}
	return strings.TrimSpace(text)
}
