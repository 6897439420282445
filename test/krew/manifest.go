// SPDX-License-Identifier: Apache-2.0

// Package krew makes what krew, the plugin manager of kubectl, needs to
// install the whole set of binaries: the archives and the manifest. It also
// unpacks an archive the way krew does, for tests and for trying it out, since
// krew itself is not available as a Go module.
package krew

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
)

const (
	// Name is the plugin's name in krew: "kubectl krew install timoni".
	Name = "timoni"
	// Version is the version of the set, in krew's form.
	Version = "v" + cli.Version

	homepage = "https://github.com/kubectl-timoni/kubectl-timoni"

	// unreleased stands for the checksum of an archive that does not exist
	// yet. krew takes it for a checksum and refuses whatever it downloads.
	unreleased = "0000000000000000000000000000000000000000000000000000000000000000"
)

// Plugin is a krew manifest, and with a Status the receipt of an installation.
type Plugin struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
	Status     *Status  `json:"status,omitempty"`
}

// Metadata holds the name of a plugin and, in a receipt, when it was installed.
type Metadata struct {
	Name    string `json:"name"`
	Created string `json:"creationTimestamp,omitempty"`
}

// Spec describes a plugin and where its archives are.
type Spec struct {
	Version          string     `json:"version"`
	Homepage         string     `json:"homepage"`
	ShortDescription string     `json:"shortDescription"`
	Description      string     `json:"description"`
	Caveats          string     `json:"caveats"`
	Platforms        []Platform `json:"platforms"`
}

// Platform says what krew downloads and unpacks on one platform.
type Platform struct {
	Selector Selector `json:"selector"`
	URI      string   `json:"uri"`
	Sha256   string   `json:"sha256"`
	Files    []Move   `json:"files"`
	Bin      string   `json:"bin"`
}

// Selector matches a platform.
type Selector struct {
	MatchLabels Target `json:"matchLabels"`
}

// Target is an operating system and an architecture, named as Go names them.
type Target struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

// Move takes a file from an archive to the installation.
type Move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Status says, in a receipt, which index a plugin came from.
type Status struct {
	Source Source `json:"source"`
}

// Source is an index of plugins.
type Source struct {
	Name string `json:"name"`
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

// Archive returns the file name of the archive for a platform.
func (t Target) Archive() string {
	return fmt.Sprintf("kubectl-timoni_%s_%s_%s.tar.gz", Version, t.OS, t.Arch)
}

func (t Target) exe(name string) string {
	if t.OS == "windows" {
		return name + ".exe"
	}
	return name
}

// Binaries returns the names of the binaries that the repository at root
// builds: those of plugins/ and timoni-krm.
func Binaries(root string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(root, "plugins", "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("list the plugins: %w", err)
	}
	var names []string
	for _, main := range mains {
		names = append(names, filepath.Base(filepath.Dir(main)))
	}
	if _, err = os.Stat(filepath.Join(root, "krmfn", "main.go")); err == nil {
		names = append(names, "timoni-krm")
	}
	slices.Sort(names)
	return names, nil
}

// Manifest returns the manifest for a set of binaries. The checksums are those
// of the archives in the directory release; without one, which is "", they are
// zero: see the comment that Render writes.
func Manifest(binaries []string, release string) (Plugin, error) {
	p := Plugin{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2",
		Kind:       "Plugin",
		Metadata:   Metadata{Name: Name},
		Spec: Spec{
			Version:          Version,
			Homepage:         homepage,
			ShortDescription: "Apply modules written in CUE",
			Description:      description(),
			Caveats:          caveats(),
		},
	}
	for _, t := range Targets() {
		sum, err := checksum(release, t)
		if err != nil {
			return Plugin{}, err
		}
		p.Spec.Platforms = append(p.Spec.Platforms, Platform{
			Selector: Selector{MatchLabels: t},
			URI:      homepage + "/releases/download/" + Version + "/" + t.Archive(),
			Sha256:   sum,
			Files:    moves(t, binaries),
			Bin:      t.exe("kubectl-timoni"),
		})
	}
	return p, nil
}

func moves(t Target, binaries []string) []Move {
	all := []Move{{"LICENSE", "."}}
	for _, name := range binaries {
		all = append(all, Move{t.exe(name), "."})
	}
	return all
}

func description() string {
	return `A module is a CUE package that turns values into Kubernetes objects. This
plugin renders modules, applies them to a cluster as instances with the
configuration and the flags of kubectl, waits until they are ready, and lists,
inspects and deletes what was applied. Modules come from a directory or from a
container registry. Modules and instances are those of Timoni.
`
}

func caveats() string {
	return `This plugin is a set of binaries, one of which krew puts on PATH. Run
"kubectl timoni doctor" to see what is there and what is missing.
`
}

// checksum returns the checksum of the archive for t in the directory release.
func checksum(release string, t Target) (string, error) {
	if release == "" {
		return unreleased, nil
	}
	return sum(filepath.Join(release, t.Archive()))
}

func sum(archive string) (string, error) {
	data, err := os.ReadFile(archive)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("archive %s does not exist: pack it first", archive)
	}
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:]), nil
}

// Render returns p as a manifest file.
func Render(p Plugin) ([]byte, error) {
	body, err := yaml.Marshal(p)
	if err != nil {
		return nil, err
	}
	head := "# SPDX-License-Identifier: Apache-2.0\n#\n# Generated by 'make gen' from test/krew: do not edit.\n"
	if strings.Contains(string(body), unreleased) {
		head += "#\n# A template: " + p.Spec.Version + " is not released. Each sha256 is zero, with which krew refuses\n" +
			"# to install. 'make dist' packs the archives and writes dist/timoni.yaml with theirs.\n"
	}
	return append([]byte(head), body...), nil
}

// LocalManifest returns the manifest with the checksum of one archive, that
// for t: what "kubectl krew install --manifest --archive" is given.
func LocalManifest(binaries []string, archive string, t Target) (Plugin, error) {
	p, err := Manifest(binaries, "")
	if err != nil {
		return Plugin{}, err
	}
	hash, err := sum(archive)
	if err != nil {
		return Plugin{}, err
	}
	for i := range p.Spec.Platforms {
		if p.Spec.Platforms[i].Selector.MatchLabels == t {
			p.Spec.Platforms[i].Sha256 = hash
		}
	}
	return p, nil
}
