// SPDX-License-Identifier: Apache-2.0

package krew

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

// Install puts an archive into the directory root as "kubectl krew install
// --manifest --archive" puts it into KREW_ROOT, and returns the path of the
// link that belongs on PATH:
//
//	store/timoni/VERSION/  the files of the archive
//	bin/kubectl-timoni     a link to one of them
//	receipts/timoni.yaml   the manifest, and where it came from
//
// An earlier installation is replaced, as "kubectl krew upgrade" does.
func Install(p Plugin, t Target, archive, root string) (string, error) {
	if err := Validate(p); err != nil {
		return "", fmt.Errorf("manifest of %s: %w", p.Metadata.Name, err)
	}
	platform, ok := p.platform(t)
	if !ok {
		return "", fmt.Errorf("plugin %s is not offered for %s/%s", p.Metadata.Name, t.OS, t.Arch)
	}
	got, err := sum(archive)
	if err != nil {
		return "", err
	}
	if got != platform.Sha256 {
		return "", fmt.Errorf("%s has the checksum %s, the manifest wants %s", archive, got, platform.Sha256)
	}
	store := filepath.Join(root, "store", p.Metadata.Name)
	if err = os.RemoveAll(store); err != nil {
		return "", err
	}
	version := filepath.Join(store, p.Spec.Version)
	if err = platform.unpack(archive, version); err != nil {
		return "", err
	}
	link := filepath.Join(root, "bin", t.exe("kubectl-"+strings.ReplaceAll(p.Metadata.Name, "-", "_")))
	if err = relink(filepath.Join(version, filepath.FromSlash(platform.Bin)), link); err != nil {
		return "", err
	}
	return link, writeReceipt(p, root)
}

func (p Plugin) platform(t Target) (Platform, bool) {
	for _, platform := range p.Spec.Platforms {
		if platform.Selector.MatchLabels == t {
			return platform, true
		}
	}
	return Platform{}, false
}

// unpack leaves in dir what the manifest takes from the archive, and nothing
// else of it.
func (p Platform) unpack(archive, dir string) error {
	staging, err := os.MkdirTemp("", "krew-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	if err = unpack(archive, staging); err != nil {
		return err
	}
	for _, m := range p.Files {
		from := filepath.Join(staging, filepath.FromSlash(m.From))
		to := filepath.Join(dir, filepath.FromSlash(m.To))
		if m.To == "." {
			to = filepath.Join(dir, filepath.Base(from))
		}
		if err = copyFile(from, to); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies, where a rename would not leave the file system of the
// temporary directory.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// relink makes link a relative link to binary. It replaces a link, but not a
// file of another kind.
func relink(binary, link string) error {
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("the archive holds no %s: %w", filepath.Base(binary), err)
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	info, err := os.Lstat(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode()&os.ModeSymlink == 0:
		return fmt.Errorf("%s is in the way: it is not a link", link)
	default:
		if err = os.Remove(link); err != nil {
			return err
		}
	}
	target, err := filepath.Rel(filepath.Dir(link), binary)
	if err != nil {
		return err
	}
	return os.Symlink(target, link)
}

func writeReceipt(p Plugin, root string) error {
	p.Metadata.Created = time.Now().UTC().Format(time.RFC3339)
	p.Status = &Status{Source: Source{Name: "detached"}} // installed from no index
	data, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	path := filepath.Join(root, "receipts", p.Metadata.Name+".yaml")
	if err = os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// Validate applies the rules by which krew and its index accept a manifest,
// and returns all that p breaks.
func Validate(p Plugin) error {
	var problems []error
	add := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	add(p.APIVersion == "krew.googlecontainertools.github.com/v1alpha2", "apiVersion %q", p.APIVersion)
	add(p.Kind == "Plugin", "kind %q", p.Kind)
	add(regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(p.Metadata.Name), "name %q", p.Metadata.Name)
	_, err := semver.StrictNewVersion(strings.TrimPrefix(p.Spec.Version, "v"))
	add(err == nil && strings.HasPrefix(p.Spec.Version, "v"), "version %q", p.Spec.Version)
	short := p.Spec.ShortDescription
	add(short != "" && len(short) <= 50 && !strings.ContainsAny(short, "\r\n"), "shortDescription %q", short)
	for line := range strings.Lines(p.Spec.Description + p.Spec.Caveats) {
		add(len(strings.TrimSuffix(line, "\n")) <= 80, "line of more than 80 characters: %q", line)
	}
	add(len(p.Spec.Platforms) > 0, "no platforms")
	seen := map[Target]bool{}
	for _, platform := range p.Spec.Platforms {
		t := platform.Selector.MatchLabels
		add(!seen[t], "platform %s/%s twice", t.OS, t.Arch)
		seen[t] = true
		for _, err := range platform.problems() {
			problems = append(problems, fmt.Errorf("platform %s/%s: %w", t.OS, t.Arch, err))
		}
	}
	return errors.Join(problems...)
}

func (p Platform) problems() []error {
	var problems []error
	if !strings.HasPrefix(p.URI, "https://") {
		problems = append(problems, fmt.Errorf("uri %q", p.URI))
	}
	if !regexp.MustCompile(`^[a-f0-9]{64}$`).MatchString(p.Sha256) {
		problems = append(problems, fmt.Errorf("sha256 %q", p.Sha256))
	}
	binary, licence := false, false
	for _, m := range p.Files {
		if m.From == "" || m.To == "" || strings.Contains(m.From+m.To, "..") {
			problems = append(problems, fmt.Errorf("files: from %q to %q", m.From, m.To))
		}
		binary = binary || m.From == p.Bin
		licence = licence || m.From == "LICENSE"
	}
	if !binary {
		problems = append(problems, fmt.Errorf("bin %q is not one of the files", p.Bin))
	}
	if !licence {
		problems = append(problems, errors.New("the files lack LICENSE"))
	}
	return problems
}
