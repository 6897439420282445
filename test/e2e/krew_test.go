// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/krew"
)

// krewInstall packs the plugins and installs them into a directory as krew
// does. For the rest of the script, what krew puts on PATH is all of them that
// is there.
func krewInstall(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "krew DIR")
	root, err := controlplane.Root()
	ts.Check(err)
	binaries, err := krew.Binaries(root)
	ts.Check(err)
	path := filepath.SplitList(ts.Getenv("PATH"))
	i := slices.IndexFunc(path, holdsPlugins)
	if i < 0 {
		ts.Fatalf("no directory on PATH holds the plugins")
	}
	target := krew.Target{OS: runtime.GOOS, Arch: runtime.GOARCH}
	archive, err := krew.Pack(root, path[i], ts.MkAbs("dist"), target, binaries)
	ts.Check(err)
	manifest, err := krew.LocalManifest(binaries, archive, target)
	ts.Check(err)
	link, err := krew.Install(manifest, target, archive, ts.MkAbs(args[0]))
	ts.Check(err)
	path = slices.DeleteFunc(path, holdsPlugins)
	path = append([]string{filepath.Dir(link)}, path...)
	ts.Setenv("PATH", strings.Join(path, string(os.PathListSeparator)))
}

func holdsPlugins(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "kubectl-timoni"+controlplane.Exe()))
	return err == nil
}
