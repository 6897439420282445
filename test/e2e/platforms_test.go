// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// windows is the family of scripts about what only Windows has. The other scripts
// that run there say nothing that Windows says otherwise: they name no path of
// more than one element in what they compare, and make no links, pipes or modes.
const windows = "windows"

// A platform is one whose binaries an emulator runs here: .ci/with-emulators gets
// it, and its variable names it.
type platform struct {
	goos, goarch, exe, variable string
	// wrapper is the script in the place of a program; the program and its
	// directory are filled in.
	wrapper  string
	scripts  []string // below testdata
	packages []string // whose tests run there
}

// Wine makes the variables of Windows' own, PATH too, from its own settings. Those
// that name files get the letter of the drive that is this machine.
const wrapWindows = `#!/bin/sh
KUBECONFIG=Z:$KUBECONFIG XDG_CONFIG_HOME=Z:$XDG_CONFIG_HOME DOCKER_CONFIG=Z:${DOCKER_CONFIG:-$HOME/.docker}
TIMONI_CACHE_DIR=${TIMONI_CACHE_DIR-Z:$XDG_CACHE_HOME/kubectl-timoni} WINEPATH='Z:%[3]s'
export KUBECONFIG XDG_CONFIG_HOME DOCKER_CONFIG TIMONI_CACHE_DIR WINEPATH
exec %[1]s '%[2]s' "$@"
`

// A program finds its neighbours, the wrappers, by the name that it has: its own
// file has another one.
const wrapLinux = `#!/bin/sh
exec %[1]s -0 "$0" '%[2]s' "$@"
`

var platforms = []platform{
	{"windows", "amd64", ".exe", "TIMONI_WINE", wrapWindows, []string{
		"windows/*",
		"apply/hints", "apply/unchanged",
		"build/output", "build/samples", "build/values",
		"distribution/archive", "distribution/cache", "distribution/push",
		"instance/delete", "instance/status",
		"krm/build", "krm/stream",
		"signatures/policy",
	}, []string{"./pkg/cli/cmd/frontdoor", "./pkg/ref", "./pkg/registry/session"}},
	// qemu takes ten times as long as the processor. The scripts are others than those
	// of Windows, as each has a namespace that is named for it.
	{"linux", "arm64", "", "TIMONI_QEMU", wrapLinux, []string{
		"apply/install", "build/set", "krm/values",
	}, []string{"./pkg/ref", "./pkg/registry/archive"}},
}

// TestPlatforms runs scripts with the binaries of other platforms: 'make
// test-interop'. Their tests are here, and not in TestScripts/interop, since the
// scripts are those of this platform.
func TestPlatforms(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		t.Run(p.goos+"-"+p.goarch, func(t *testing.T) {
			emulator := os.Getenv(p.variable)
			if emulator == "" {
				t.Skip("runs with 'make test-interop' where .ci/with-emulators finds the emulator")
			}
			t.Parallel()
			cp := kit.ForTest(t)
			t.Run("packages", func(t *testing.T) {
				p.command(t, root, append([]string{"test", "-short", "-exec", emulator}, p.packages...))
			})
			bin := emulated(t, root, p, emulator)
			for family, files := range p.files(t) {
				t.Run(family, func(t *testing.T) {
					params := params(cp, root, bin, family)
					params.Files = files
					testscript.Run(t, params)
				})
			}
		})
	}
}

// files returns the scripts by family.
func (p platform) files(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	for _, script := range p.scripts {
		found, err := filepath.Glob(filepath.Join("testdata", filepath.FromSlash(script)+".txtar"))
		if err != nil || len(found) == 0 {
			t.Fatalf("there is no script %s (%v)", script, err)
		}
		family, _, _ := strings.Cut(script, "/")
		files[family] = append(files[family], found...)
	}
	return files
}

// emulated builds the binaries for a platform, and the programs that its scripts
// need, and returns the directory of what runs them.
func emulated(t *testing.T, root string, p platform, emulator string) (bin string) {
	t.Helper()
	bin = t.TempDir()
	programs := filepath.Join(bin, "programs")
	if err := os.Mkdir(programs, 0o755); err != nil {
		t.Fatal(err)
	}
	build := []string{"build", "-buildvcs=false", "-ldflags", "-s -w", "-o"}
	p.command(t, root, append(build, programs+string(filepath.Separator), "./plugins/...", "./test/emulated/..."))
	p.command(t, root, append(build, filepath.Join(programs, "timoni-krm"+p.exe), "./krmfn"))
	built, err := os.ReadDir(programs)
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range built {
		text := fmt.Sprintf(p.wrapper, emulator, filepath.Join(programs, program.Name()), programs)
		name := strings.TrimSuffix(program.Name(), p.exe)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// command runs the go command for the platform.
func (p platform) command(t *testing.T, root string, args []string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.goos, "GOARCH="+p.goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
}
