// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"runtime/debug"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
)

// TestVersionOf holds that the tag, and nothing but it, is the version.
func TestVersionOf(t *testing.T) {
	t.Parallel()
	const pseudo = "0.2.1-0.20261129133000-1891abd1891a"
	for name, tc := range map[string]struct {
		version, want string
		checkout      bool
	}{
		"a tag in a checkout":              {"v0.2.0", "0.2.0", true},
		"a candidate":                      {"v0.2.0-rc.1", "0.2.0-rc.1", true},
		"a tag from the proxy":             {"v0.2.0", "0.2.0", false},
		"a commit from the proxy":          {"v" + pseudo, pseudo, false},
		"a checkout between tags":          {"v" + pseudo, cli.Unreleased, true},
		"a checkout before the first tag":  {"v0.0.0-20261129133000-1891abd1891a", cli.Unreleased, true},
		"a changed checkout at a tag":      {"v0.2.0+dirty", cli.Unreleased, true},
		"a build without version control":  {"(devel)", cli.Unreleased, false},
		"a test, of which nothing is said": {"", cli.Unreleased, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := &debug.BuildInfo{Main: debug.Module{Version: tc.version}}
			if tc.checkout {
				info.Settings = []debug.BuildSetting{{Key: "vcs", Value: "git"}}
			}
			if got := cli.VersionOf(info); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
