// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

// withoutPlugins takes the plugins from PATH: what a package manager puts there
// is then all of them.
func withoutPlugins(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "without-plugins")
	path := slices.DeleteFunc(filepath.SplitList(ts.Getenv("PATH")), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "kubectl-timoni"+controlplane.Exe()))
		return err == nil
	})
	ts.Setenv("PATH", strings.Join(path, string(os.PathListSeparator)))
}

// publish releases the archives that 'make dist' made as a version, below $HTTPS,
// which serves the directory www. krew's index in the directory index has it
// from now on; $RELEASE is the directory of the archives.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "publish VERSION")
	s := current(ts)
	built, err := release.ReadRecord(filepath.Join(s.root, "dist", release.RecordFile))
	if err != nil {
		ts.Fatalf("run 'make dist': %v", err)
	}
	all, err := release.Programs(s.root)
	ts.Check(err)
	version := args[0]
	dir := ts.MkAbs(filepath.Join("www", version))
	ts.Check(os.MkdirAll(dir, 0o755))
	r := release.Record{Version: version, Base: ts.Getenv("HTTPS") + "/" + version, Archives: map[string]string{}}
	for name, sum := range built.Archives {
		to := strings.Replace(name, built.Version, version, 1)
		ts.Check(os.Symlink(filepath.Join(s.root, "dist", name), filepath.Join(dir, to)))
		r.Archives[to] = sum
	}
	ts.Check(release.Index(context.Background(), ts.MkAbs("index"), r, all))
	ts.Setenv("RELEASE", dir)
	ts.Setenv("PLATFORM", runtime.GOOS+"_"+runtime.GOARCH)
}

// TestKrewPlatforms installs what 'make dist' made of each package for each
// platform with krew, as its index would try it.
func TestKrewPlatforms(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	dist := filepath.Join(root, "dist")
	r, err := release.ReadRecord(filepath.Join(dist, release.RecordFile))
	if err != nil {
		t.Skipf("run 'make dist': %v", err)
	}
	all, err := release.Programs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range release.Packages() {
		manifest := filepath.Join(dist, "index", filepath.FromSlash(p.ManifestFile()))
		tool(t, "validate-krew-manifest", nil, "-skip-install", "-manifest", manifest)
		for _, target := range release.Targets() {
			t.Run(p.Name+" "+target.OS+" "+target.Arch, func(t *testing.T) {
				t.Parallel()
				home := t.TempDir()
				env := []string{"KREW_ROOT=" + home, "KREW_OS=" + target.OS, "KREW_ARCH=" + target.Arch}
				tool(t, "krew", env, "install", "--manifest", manifest, "--archive", filepath.Join(dist, p.Archive(r.Version, target)))
				for _, name := range p.Programs(all) {
					regular(t, filepath.Join(home, "store", p.Name, r.Version, target.Program(name)))
				}
				regular(t, filepath.Join(home, "store", p.Name, r.Version, "THIRD-PARTY-LICENSES"))
				// What krew puts on PATH leads to the program.
				link := filepath.Join(home, "bin", "kubectl-"+strings.ReplaceAll(p.Name, "-", "_"))
				if to, err := filepath.EvalSymlinks(target.Program(link)); err != nil || filepath.Base(to) != target.Program(p.Program) {
					t.Errorf("the link leads to %s: %v", to, err)
				}
			})
		}
	}
}

func regular(t *testing.T, path string) {
	t.Helper()
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		t.Errorf("%s is no file: %v", path, err)
	}
}

// tool runs a program of another project.
func tool(t *testing.T, name string, env []string, args ...string) {
	t.Helper()
	path, err := controlplane.Extra(t.Context(), name, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
