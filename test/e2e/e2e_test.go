// SPDX-License-Identifier: Apache-2.0

// Package e2e_test runs the scripts under testdata: what a user types, against
// the built plugins, a real API server and a real registry. See ../README.md.
package e2e_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

func TestMain(m *testing.M) {
	// Scripts wait more than they compute.
	if err := flag.Set("test.parallel", fmt.Sprint(3*runtime.NumCPU())); err != nil {
		panic(err)
	}
	os.Exit(kit.Main(m))
}

// TestScripts runs testdata/FAMILY/SCRIPT.txtar as TestScripts/FAMILY/SCRIPT.
func TestScripts(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin := plugins(t, root)
	cp := kit.ForTest(t)
	families, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		t.Run(family.Name(), func(t *testing.T) {
			if family.Name() == interop && !withPeers() || family.Name() == windows {
				t.Skip("runs with 'make test-interop'")
			}
			t.Parallel()
			params := params(cp, root, bin, family.Name())
			params.Dir = filepath.Join("testdata", family.Name())
			testscript.Run(t, params)
		})
	}
}

// params returns how scripts of a family are run with the binaries in a directory.
func params(cp *kit.ControlPlane, root, bin, family string) testscript.Params {
	return testscript.Params{
		Setup: func(env *testscript.Env) error {
			return setup(env, cp, root, bin, family)
		},
		Cmds:                commands(),
		Condition:           condition,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
}

// interop is the family of scripts that run programs of other projects.
const interop = "interop"

// withPeers reports whether tests may run programs of other projects (cosign,
// Flux, Argo CD, Helm, an older kustomize), which take half an hour to build.
func withPeers() bool { return os.Getenv("TIMONI_INTEROP") != "" }

// plugins returns the directory of the built plugins, and fails the test when
// one of them does not exist.
func plugins(t *testing.T, root string) string {
	t.Helper()
	bin := os.Getenv("TIMONI_BIN")
	if bin == "" {
		bin = filepath.Join(root, "bin")
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	mains, err := filepath.Glob(filepath.Join(root, "plugins", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"timoni-krm"}
	for _, main := range mains {
		names = append(names, filepath.Base(filepath.Dir(main)))
	}
	for _, name := range names {
		// To stat them also tells 'go test' that its cached result depends on them.
		if _, err := os.Stat(filepath.Join(bin, name+controlplane.Exe())); err != nil {
			t.Fatalf("%s is not built: run 'make build': %v", name, err)
		}
	}
	return bin
}

// script is what the commands know of the script that they are part of.
type script struct {
	cp        *kit.ControlPlane
	t         testscript.T
	root, bin string // of the repository, and of what it built
	namespace string
	variables []string // names of the environment variables
	users     []string // in the audit log
	mark      kit.Mark
	// Of the other control plane that the script has started, nil without one.
	second     *kit.ControlPlane
	secondMark kit.Mark
	jobs       map[string]*job
}

type scriptKey struct{}

func current(ts *testscript.TestScript) *script {
	s, ok := ts.Value(scriptKey{}).(*script)
	if !ok {
		ts.Fatalf("the script was not set up")
	}
	return s
}

// setup gives a script its namespace, repository, user and environment.
func setup(env *testscript.Env, cp *kit.ControlPlane, root, bin, family string) error {
	name := family + "-" + strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	name = strings.Trim(notInName.ReplaceAllString(strings.ToLower(name), "-"), "-")
	s := &script{cp: cp, t: env.T(), root: root, bin: bin, namespace: name, users: []string{name}, jobs: map[string]*job{}}
	env.Values[scriptKey{}] = s
	ctx := context.Background()
	if err := cp.CreateNamespace(ctx, name); err != nil {
		return err
	}
	env.Defer(func() {
		if err := cp.ReleaseNamespace(ctx, name); err != nil {
			env.T().Log(err)
		}
	})
	kubeconfig, err := cp.User(name)
	if err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, "home")
	tmp := filepath.Join(env.WorkDir, "tmp")
	for _, dir := range []string{home, tmp} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	config := filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(config, kubeconfig, 0o600); err != nil {
		return err
	}
	repo := "oci://" + cp.Registry + "/" + name
	if cp.Shared {
		repo += "-" + strings.ToLower(rand.Text()[:6])
	}
	for k, v := range map[string]string{
		"NS":              name,
		"REPO":            repo,
		"REGISTRY":        cp.Registry,
		"MODULES":         filepath.Join(root, "test", "modules"),
		"TOKEN":           cp.Token,
		"KUBECONFIG":      config,
		"HOME":            home,
		"USERPROFILE":     home,
		"TMPDIR":          tmp,
		"TMP":             tmp,
		"XDG_CACHE_HOME":  filepath.Join(home, ".cache"),
		"XDG_CONFIG_HOME": filepath.Join(home, ".config"),
		"PATH": strings.Join([]string{
			bin, filepath.Dir(cp.Kubectl), filepath.Dir(cp.Kustomize), env.Getenv("PATH"),
		}, string(os.PathListSeparator)),
	} {
		env.Setenv(k, v)
	}
	for _, v := range env.Vars {
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains(s.variables, name) && strings.Trim(name, "$:/") != "" {
			s.variables = append(s.variables, name)
		}
	}
	env.Defer(s.killJobs)
	s.mark, err = s.begin()
	return err
}

// begin returns the place in the audit log from which requests are counted.
func (s *script) begin() (kit.Mark, error) {
	if s.cp.AuditLog == "" {
		return 0, nil
	}
	return s.cp.Mark()
}
