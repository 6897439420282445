// SPDX-License-Identifier: Apache-2.0

package frontdoor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/frontdoor"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// TestMain makes a link to the test binary the program that its name says: the
// front door, or a sibling that prints what it was started with.
func TestMain(m *testing.M) {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	switch name := strings.TrimSuffix(filepath.Base(executable), ".exe"); {
	case strings.Contains(name, "frontdoor.test"):
		os.Exit(m.Run())
	case name == "kubectl-timoni":
		os.Exit(cli.Main(frontdoor.New))
	case os.Args[0] == cli.VersionProgram && len(os.Args) == 1:
		os.Exit(cli.Main(frontdoor.New)) // cli answers before the command is made
	default:
		out, err := json.Marshal(append([]string{name}, os.Args...))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(out))
		os.Exit(4)
	}
}

// install makes a directory with the front door and siblings in it.
func install(t *testing.T, siblings ...string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := os.Link
	if runtime.GOOS == "windows" { // a link to a program that runs cannot be removed
		content, err := os.ReadFile(executable)
		if err != nil {
			t.Fatal(err)
		}
		put = func(_, name string) error { return os.WriteFile(name+".exe", content, 0o700) }
	}
	for _, name := range append(siblings, "kubectl-timoni") {
		if err := put(executable, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type result struct {
	Code           int
	Stdout, Stderr string
}

// run starts the front door of dir as a shell does that was given argv.
func run(t *testing.T, dir string, argv ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(dir, "kubectl-timoni"))
	cmd.Args, cmd.Env = argv, []string{"PATH=" + dir}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func TestForward(t *testing.T) {
	t.Parallel()
	dir := install(t, "kubectl-timoni-apply", "kubectl-timoni-instance")
	for name, tc := range map[string]struct {
		argv []string
		want result
	}{
		"the sibling's exit code, argv[0] and arguments": {
			argv: []string{"kubectl-timoni", "-n", "apps", "status", "a b"},
			want: result{4, `["kubectl-timoni-apply","kubectl-timoni status","-n","apps","a b"]` + "\n", ""},
		},
		"through kubectl": {
			argv: []string{"/x/kubectl-timoni", "list"},
			want: result{4, `["kubectl-timoni-instance","kubectl timoni","list"]` + "\n", ""},
		},
		"help": {
			argv: []string{"kubectl-timoni", "help", "list"},
			want: result{4, `["kubectl-timoni-instance","kubectl-timoni","list","--help"]` + "\n", ""},
		},
		"completion": {
			argv: []string{"kubectl-timoni", "__complete", "-n", "apps", "status", "a", ""},
			want: result{4, `["kubectl-timoni-apply","kubectl-timoni status","__complete","-n","apps","a",""]` + "\n", ""},
		},
		"sibling missing": {
			argv: []string{"kubectl-timoni", "build", "app", "./m"},
			want: result{3, "", "error: not installed: kubectl-timoni-build, which has the verbs build\n" +
				"hint: install all binaries again, or put kubectl-timoni-build next to kubectl-timoni\n"},
		},
		"unknown verb": {
			argv: []string{"kubectl-timoni", "aply", "app"},
			want: result{2, "", "error: kubectl-timoni has no verb \"aply\"\nhint: did you mean 'kubectl-timoni apply'?\n"},
		},
		"unknown flag of an own verb": {
			argv: []string{"kubectl-timoni", "doctor", "--fix"},
			want: result{2, "", "error: unknown flag: --fix\nhint: see 'kubectl-timoni doctor --help'\n"},
		},
		"an argument": {
			argv: []string{"kubectl-timoni", "version", "x"},
			want: result{2, "", "error: kubectl-timoni version takes no arguments, not 1 arguments\nhint: see 'kubectl-timoni version --help'\n"},
		},
		"unknown format": {
			argv: []string{"kubectl-timoni", "doctor", "-o", "xml"},
			want: result{2, "", "error: output format \"xml\" is not one of json, yaml\n"},
		},
		"unknown shell": {
			argv: []string{"kubectl-timoni", "completion", "tcsh"},
			want: result{2, "", "error: shell \"tcsh\" is not one of bash, zsh, fish, powershell\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, run(t, dir, tc.argv...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	dir := install(t, "kubectl-timoni-apply")
	got := run(t, dir, "kubectl-timoni", "version", "-o", "json")
	var v struct {
		Version  string
		Binaries []struct{ Name, Version, Problem string }
	}
	if err := json.Unmarshal([]byte(got.Stdout), &v); err != nil || got.Code != 0 {
		t.Fatalf("%v: %+v", err, got)
	}
	if v.Version != cli.Version() || len(v.Binaries) != 7 {
		t.Errorf("got %+v", v)
	}
	for _, b := range v.Binaries {
		isApply := b.Name == "kubectl-timoni-apply"
		if isApply && (b.Version != cli.Version() || b.Problem != "") || !isApply && b.Problem != "not installed" {
			t.Errorf("got %+v", b)
		}
	}
}

// Every text that people read, as they read it.
func TestGolden(t *testing.T) {
	t.Parallel()
	dir := install(t, "kubectl-timoni-apply", "kubectl-timoni-instance")
	golden.Run(t, "testdata/help.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		for i, f := range archive.Files {
			argv := strings.Fields(f.Name)
			if argv[len(argv)-1] == "''" {
				argv[len(argv)-1] = ""
			}
			got := run(t, dir, argv...)
			if got.Code != 0 {
				t.Errorf("%s: %+v", f.Name, got)
			}
			archive.Files[i].Data = []byte(got.Stdout)
		}
		return archive
	})
}
