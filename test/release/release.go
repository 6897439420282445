// SPDX-License-Identifier: Apache-2.0

// Package release makes what a release consists of: an archive for each package
// and platform, with licences and a bill of materials; and what leads package
// managers to the archives: manifests and an index for krew, and a formula for
// Homebrew. A flake for Nix reads the record, which says what was released last.
package release

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
)

const homepage = "https://github.com/kubectl-timoni/kubectl-timoni"

// Package is a set of programs that is installed as one.
type Package struct {
	Name        string // in krew: "kubectl krew install NAME"
	Program     string // the program that krew puts on PATH; the archive is named after it
	Short       string
	Description string
	Caveats     string
	whole       bool // all programs are in it, not only Program
}

// Packages returns the table of what is released.
func Packages() []Package {
	return []Package{{
		Name: "timoni", Program: "kubectl-timoni", whole: true,
		Short: "Apply modules written in CUE",
		Description: `A module is a CUE package that turns values into Kubernetes objects. This
plugin renders modules, applies them to a cluster as instances with the
configuration and the flags of kubectl, waits until they are ready, and lists,
inspects and deletes what was applied. Modules come from a directory or from a
container registry. Modules and instances are those of Timoni.
`,
		Caveats: `This plugin is a set of programs, one of which krew puts on PATH. Run
"kubectl timoni doctor" to see what is there and what is missing.
`,
	}, {
		Name: "timoni-build", Program: "kubectl-timoni-build",
		Short: "Render modules written in CUE",
		Description: `A module is a CUE package that turns values into Kubernetes objects. This
plugin prints the objects and asks no cluster: a small part of the plugin
timoni, for pipelines.
`,
		Caveats: `Run it as "kubectl timoni-build NAME MODULE".
`,
	}, {
		Name: "timoni-krm", Program: "timoni-krm",
		Short: "Render modules in kustomize and kpt",
		Description: `A module is a CUE package that turns values into Kubernetes objects. This
plugin is the function with which kustomize and kpt render modules, and builds
kustomizations with it: a small part of the plugin timoni, for pipelines.
`,
		Caveats: `Run it as "kubectl timoni-krm kustomize DIR". kustomize finds the function
after "kubectl timoni-krm install".
`,
	}}
}

// Target is an operating system and an architecture, named as Go names them.
type Target struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

// Targets returns the platforms that a release is built for.
func Targets() []Target {
	var all []Target
	for _, os := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, Target{os, arch})
		}
	}
	return all
}

func (t Target) String() string { return t.OS + "/" + t.Arch }

// Program returns the name of the file of a program on t.
func (t Target) Program(name string) string {
	if t.OS == "windows" {
		return name + ".exe"
	}
	return name
}

// Archive returns the name of the archive of a version for a platform.
func (p Package) Archive(version string, t Target) string {
	return fmt.Sprintf("%s_%s_%s_%s.tar.gz", p.Program, version, t.OS, t.Arch)
}

// Programs returns the names of the programs in p, of those that exist.
func (p Package) Programs(all []string) []string {
	if p.whole {
		return all
	}
	return []string{p.Program}
}

// Programs returns the names of the programs that the repository at root
// builds: those of plugins/ and timoni-krm.
func Programs(root string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(root, "plugins", "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("list the plugins: %w", err)
	}
	names := []string{"timoni-krm"}
	for _, main := range mains {
		names = append(names, filepath.Base(filepath.Dir(main)))
	}
	slices.Sort(names)
	return names, nil
}

// VersionOf returns the version that a program says it is, in the form of a tag.
func VersionOf(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("read the version of %s: build it first: %w", filepath.Base(program), err)
	}
	return "v" + cli.VersionOf(info), nil
}

// licences are the files with licences in an archive, those of others last.
func licences() []string { return []string{"LICENSE", "THIRD-PARTY-LICENSES"} }

func readable(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
