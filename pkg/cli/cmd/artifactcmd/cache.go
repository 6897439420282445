// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
)

func newCacheList(env cli.Env) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List what is in the cache",
		Example: cli.Example(env, "cache list"),
		Args:    cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			list, err := artifact.ListCache(cache.Cache{Dir: env.CacheDir()})
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, e := range list {
				rows[i] = []string{e.Reference, e.Digest, ui.Size(e.Size), e.LastUsed.Format(time.RFC3339)}
			}
			return ui.Rows(env.Stdout, output, list, []string{"REFERENCE", "DIGEST", "SIZE", "LAST USED"}, rows)
		},
	}
	cli.AddOutput(cmd, &output)
	return cmd
}

func newCachePrune(env cli.Env) *cobra.Command {
	const month = 30 * 24 * time.Hour
	var unused time.Duration
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove what was not used for a while",
		Long: "Remove from the cache what was not used for a while. It is fetched again when it\n" +
			"is needed. The cache keeps itself below 1 GiB without this.",
		Example: cli.Example(env, "cache prune", "cache prune --unused-for 0s"),
		Args:    cli.Args(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if unused < 0 {
				return fail.Usagef("--unused-for %s is less than 0", unused)
			}
			removed, err := artifact.PruneCache(cache.Cache{Dir: env.CacheDir()}, unused)
			if err != nil {
				return err
			}
			_, err = ui.Printf(env.Stdout, "removed %s\n", ui.Size(removed))
			return err
		},
	}
	cmd.Flags().DurationVar(&unused, "unused-for", month, "remove what was not used for so long, 0s for everything")
	return cmd
}
