// SPDX-License-Identifier: Apache-2.0

// Package controlplane builds the programs of a Kubernetes control plane from
// the Go module proxy, once per machine. What is built is pinned by the nested
// modules next to this file, so that none of it enters the product's go.mod.
package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ErrNoCheckout means that the working directory is not inside a checkout of
// this repository, so that the nested modules cannot be found.
var ErrNoCheckout = errors.New("not inside a checkout of kubectl-timoni")

// Paths holds the absolute paths of the programs and files of a control plane.
type Paths struct {
	Etcd              string
	APIServer         string
	ControllerManager string
	Scheduler         string
	Kubectl           string
	Kwok              string
	Registry          string
	Kustomize         string
	// Stages is the kwok configuration that makes fake nodes and pods ready.
	Stages string
}

// module is a nested module and what is built from it.
type module struct {
	dir      string
	requires string // the module that carries the version
	programs map[string]string
	// versions lists the string variables that take the module's version.
	versions []string
	// documents is the name of a file next to the programs, which joins YAML
	// files of the modules.
	documents string
	parts     []part
}

// part names YAML files in a module.
type part struct {
	module, dir string
	files       []string
}

// kubeBase is the package whose variables say the version of Kubernetes.
const kubeBase = "k8s.io/component-base/version."

func modules() []module {
	return []module{{
		dir:      "kubernetes",
		requires: "k8s.io/kubernetes",
		programs: map[string]string{
			"kube-apiserver":          "k8s.io/kubernetes/cmd/kube-apiserver",
			"kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
			"kube-scheduler":          "k8s.io/kubernetes/cmd/kube-scheduler",
			"kubectl":                 "k8s.io/kubernetes/cmd/kubectl",
		},
		versions: []string{kubeBase + "gitVersion"},
	}, {
		dir:      "etcd",
		requires: "go.etcd.io/etcd/server/v3",
		programs: map[string]string{"etcd": "go.etcd.io/etcd/server/v3"},
	}, {
		dir:       "kwok",
		requires:  "sigs.k8s.io/kwok",
		programs:  map[string]string{"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
		documents: "stages.yaml",
		parts: []part{{"sigs.k8s.io/kwok", "kustomize/stage", []string{
			"node/fast/node-initialize.yaml",
			"node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
			"pod/fast/pod-ready.yaml",
			"pod/fast/pod-complete.yaml",
			"pod/fast/pod-delete.yaml",
		}}},
	}, {
		dir:      "registry",
		requires: "github.com/distribution/distribution/v3",
		programs: map[string]string{"registry": "github.com/distribution/distribution/v3/cmd/registry"},
	}, {
		dir:      "kustomize",
		requires: "sigs.k8s.io/kustomize/kustomize/v5",
		programs: map[string]string{"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
		versions: []string{"sigs.k8s.io/kustomize/api/provenance.version"},
	}}
}

// extras are the modules of programs that single tests compare with or call:
// they are built for all tests at once, or when one asks for them.
func extras() []module {
	return []module{{
		// An older minor version, for what no API documents.
		dir:      "kubernetes-previous",
		requires: "k8s.io/kubernetes",
		programs: map[string]string{"kube-apiserver-previous": "k8s.io/kubernetes/cmd/kube-apiserver"},
		versions: []string{kubeBase + "gitVersion"},
	}, {
		dir:      "helm",
		requires: "helm.sh/helm/v4",
		programs: map[string]string{"helm": "helm.sh/helm/v4/cmd/helm"},
	}, {
		dir:      "kustomize-previous", // the oldest minor version that is tested
		requires: "sigs.k8s.io/kustomize/kustomize/v5",
		programs: map[string]string{"kustomize-previous": "sigs.k8s.io/kustomize/kustomize/v5"},
		versions: []string{"sigs.k8s.io/kustomize/api/provenance.version"},
	}, {
		// A program of our own around the libraries, in the same directory.
		dir:      "flux",
		requires: "github.com/fluxcd/pkg/oci",
		programs: map[string]string{"flux": "."},
	}, {
		// Around the parts of Argo CD that read and apply a directory.
		dir:      "argocd",
		requires: "github.com/argoproj/argo-cd/v3",
		programs: map[string]string{"argocd": "."},
	}, {
		dir:      "cosign",
		requires: "github.com/sigstore/cosign/v3",
		programs: map[string]string{"cosign": "github.com/sigstore/cosign/v3/cmd/cosign"},
	}, {
		dir:      "fulcio",
		requires: "github.com/sigstore/fulcio",
		programs: map[string]string{"fulcio": "github.com/sigstore/fulcio"},
	}, {
		dir:      "sops", // with the program that makes keys of age
		requires: "github.com/getsops/sops/v3",
		programs: map[string]string{"sops": "github.com/getsops/sops/v3/cmd/sops", "age-keygen": "filippo.io/age/cmd/age-keygen"},
	}, {
		dir:      "krew", // with the program by which its index takes manifests
		requires: "sigs.k8s.io/krew",
		programs: map[string]string{
			"krew":                   "sigs.k8s.io/krew/cmd/krew",
			"validate-krew-manifest": "sigs.k8s.io/krew/cmd/validate-krew-manifest",
		},
	}, {
		dir:      "flux-controllers",
		requires: "github.com/fluxcd/source-controller",
		programs: map[string]string{
			"source-controller":    "github.com/fluxcd/source-controller",
			"kustomize-controller": "github.com/fluxcd/kustomize-controller",
		},
		documents: "crds.yaml",
		parts: []part{
			{"github.com/fluxcd/source-controller", fluxCRDs, []string{
				"source.toolkit.fluxcd.io_buckets.yaml",
				"source.toolkit.fluxcd.io_externalartifacts.yaml",
				"source.toolkit.fluxcd.io_gitrepositories.yaml",
				"source.toolkit.fluxcd.io_helmcharts.yaml",
				"source.toolkit.fluxcd.io_helmrepositories.yaml",
				"source.toolkit.fluxcd.io_ocirepositories.yaml",
			}},
			{"github.com/fluxcd/kustomize-controller", fluxCRDs, []string{"kustomize.toolkit.fluxcd.io_kustomizations.yaml"}},
		},
	}}
}

const fluxCRDs = "config/crd/bases"

// Extras builds all programs that Extra knows, as Binaries does those of the
// control plane: a test that has to wait for one takes minutes.
func Extras(ctx context.Context, log io.Writer) error {
	b, err := newBuilder(log)
	if err != nil {
		return err
	}
	for _, m := range extras() {
		if err := b.build(ctx, m, map[string]string{}); err != nil {
			return err
		}
	}
	return nil
}

// Extra returns the path of a program that is no part of the control plane,
// after building it as Binaries does. crds.yaml is next to Flux's controllers.
func Extra(ctx context.Context, name string, log io.Writer) (string, error) {
	b, err := newBuilder(log)
	if err != nil {
		return "", err
	}
	for _, m := range extras() {
		if _, ok := m.programs[name]; ok {
			found := map[string]string{}
			err := b.build(ctx, m, found)
			return found[name], err
		}
	}
	return "", fmt.Errorf("%q is not in the list of extra programs", name)
}

// Binaries returns the programs of the control plane, after building into the
// user's cache directory those that are missing. Processes that ask at the
// same time build once. A line per program built is written to log.
//
// The directory named by KUBEBUILDER_ASSETS, when set, takes precedence for
// etcd, kube-apiserver and kubectl; what it does not hold is built.
func Binaries(ctx context.Context, log io.Writer) (Paths, error) {
	b, err := newBuilder(log)
	if err != nil {
		return Paths{}, err
	}
	found := assets(os.Getenv("KUBEBUILDER_ASSETS"))
	for _, m := range modules() {
		if err := b.build(ctx, m, found); err != nil {
			return Paths{}, err
		}
	}
	return paths(found), nil
}

func paths(found map[string]string) Paths {
	return Paths{
		Etcd:              found["etcd"],
		APIServer:         found["kube-apiserver"],
		ControllerManager: found["kube-controller-manager"],
		Scheduler:         found["kube-scheduler"],
		Kubectl:           found["kubectl"],
		Kwok:              found["kwok"],
		Registry:          found["registry"],
		Kustomize:         found["kustomize"],
		Stages:            filepath.Join(filepath.Dir(found["kwok"]), "stages.yaml"),
	}
}

// Root returns the directory of this repository's go.mod, searched upwards
// from the working directory. Without one it returns [ErrNoCheckout].
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module github.com/kubectl-timoni/kubectl-timoni\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoCheckout
		}
		dir = parent
	}
}

// assets returns the programs that an envtest directory holds, by name.
func assets(dir string) map[string]string {
	found := map[string]string{}
	if dir == "" {
		return found
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		path := filepath.Join(dir, name+Exe())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found[name] = path
		}
	}
	return found
}

// Exe returns the ending of executables here: ".exe" or nothing.
func Exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

type builder struct {
	src, cache string
	log        io.Writer
}

func newBuilder(log io.Writer) (builder, error) {
	root, err := Root()
	if err != nil {
		return builder{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return builder{}, fmt.Errorf("find the cache directory: %w", err)
	}
	return builder{
		src:   filepath.Join(root, "test", "controlplane"),
		cache: filepath.Join(cache, "kubectl-timoni", "controlplane"),
		log:   log,
	}, nil
}

// build adds m's programs to found, except those already there.
func (b builder) build(ctx context.Context, m module, found map[string]string) error {
	version, dir, err := b.target(m)
	if err != nil {
		return err
	}
	missing := map[string]string{}
	for name, pkg := range m.programs {
		if _, ok := found[name]; ok {
			continue
		}
		found[name] = filepath.Join(dir, name+Exe())
		if !exists(found[name]) {
			missing[found[name]] = pkg
		}
	}
	documents := filepath.Join(dir, m.documents)
	if len(missing) == 0 && exists(documents) {
		return nil
	}
	unlock, err := b.lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	for path, pkg := range missing {
		if err := b.program(ctx, m, version, pkg, path); err != nil {
			return err
		}
	}
	if exists(documents) {
		return nil
	}
	return b.join(ctx, m, documents)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// target returns the version that m pins and the directory for its programs,
// named by everything that decides their content.
func (b builder) target(m module) (version, dir string, err error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, flags(m, ""))
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		data, err := os.ReadFile(filepath.Join(b.src, m.dir, name))
		if errors.Is(err, fs.ErrNotExist) && name == "main.go" {
			continue // most programs are others'
		}
		if err != nil {
			return "", "", fmt.Errorf("module %s: %w", m.dir, err)
		}
		hash.Write(data)
		if name == "go.mod" {
			version = required(string(data), m.requires)
		}
	}
	if version == "" {
		return "", "", fmt.Errorf("module %s: go.mod does not require %s", m.dir, m.requires)
	}
	key := hex.EncodeToString(hash.Sum(nil))[:12]
	return version, filepath.Join(b.cache, m.dir+"-"+version+"-"+key), nil
}

// required returns the version at which a go.mod requires path, or "".
func required(mod, path string) string {
	for line := range strings.Lines(mod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == path && strings.HasPrefix(fields[1], "v") {
			return fields[1]
		}
	}
	return ""
}

func flags(m module, version string) []string {
	link := "-s -w"
	for _, v := range m.versions {
		link += " -X " + v + "=" + version
	}
	if m.requires == "k8s.io/kubernetes" {
		link += kubeVersion(version)
	}
	return []string{"-trimpath", "-buildvcs=false", "-ldflags", link}
}

// kubeVersion returns what kube-apiserver needs in addition to gitVersion to report a
// valid version.
func kubeVersion(version string) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	const base = " -X " + kubeBase
	return base + "gitMajor=" + major + base + "gitMinor=" + minor +
		base + "gitCommit=" + version + base + "gitTreeState=clean" +
		base + "buildDate=1970-01-01T00:00:00Z"
}

// lock makes dir and holds it for this process until the returned function is
// called or the process ends.
func (b builder) lock(ctx context.Context, dir string) (func(), error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the cache: %w", err)
	}
	type result struct {
		unlock func()
		err    error
	}
	done := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(filepath.Join(dir, "lock")).Lock()
		done <- result{unlock, err}
	}()
	select {
	case r := <-done:
		return r.unlock, r.err
	case <-time.After(time.Second):
		fmt.Fprintf(b.log, "controlplane: waiting for another process that builds into %s\n", dir)
	}
	select {
	case r := <-done:
		return r.unlock, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// program builds pkg into path, unless another process did so while this one
// waited for the lock. The file appears complete or not at all.
func (b builder) program(ctx context.Context, m module, version, pkg, path string) error {
	if exists(path) {
		return nil
	}
	name := strings.TrimSuffix(filepath.Base(path), Exe())
	fmt.Fprintf(b.log, "controlplane: building %s %s\n", name, version)
	start := time.Now()
	// The name is fixed so that an interrupted build leaves at most one.
	tmp := path + ".tmp"
	args := append([]string{"build"}, flags(m, version)...)
	if _, err := b.goTool(ctx, m, append(args, "-o", tmp, pkg)...); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	fmt.Fprintf(b.log, "controlplane: built %s %s in %.0f s\n", name, version, time.Since(start).Seconds())
	return nil
}

// join writes the documents of a module to path.
func (b builder) join(ctx context.Context, m module, path string) error {
	var all strings.Builder
	for _, p := range m.parts {
		dir, err := b.goTool(ctx, m, "list", "-m", "-f", "{{.Dir}}", p.module)
		if err != nil {
			return fmt.Errorf("find the module %s: %w", p.module, err)
		}
		for _, name := range p.files {
			data, err := os.ReadFile(filepath.Join(strings.TrimSpace(dir), filepath.FromSlash(p.dir), filepath.FromSlash(name)))
			if err != nil {
				return fmt.Errorf("read the files of %s: %w", p.module, err)
			}
			fmt.Fprintf(&all, "---\n%s\n", data)
		}
	}
	if err := os.WriteFile(path+".tmp", []byte(all.String()), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", m.documents, err)
	}
	return os.Rename(path+".tmp", path)
}

// goTool runs the go command in the directory of m and returns its output.
func (b builder) goTool(ctx context.Context, m module, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.src, m.dir)
	// A workspace or flags of the user's must not change what is built.
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir, "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=",
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	// An interrupt lets the go command remove its work directory.
	cmd.Cancel = func() error {
		if runtime.GOOS == "windows" {
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
