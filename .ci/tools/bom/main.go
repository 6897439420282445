// SPDX-License-Identifier: Apache-2.0

// Command bom says what is in an archive of a release: it writes a bill of
// materials (CycloneDX) of the modules that the Go compiler noted in programs,
// and the licences of the packages that are linked into them. A licence that is
// unknown, or not in the list below, is an error.
//
//	bom -root DIR -name NAME -version VERSION -o FILE -licences FILE PROGRAM...
package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// permitted returns the licences, by the names of SPDX, with which the programs
// may be passed on in binary form as long as the texts go along.
func permitted() []string {
	return []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense", "CC0-1.0", "0BSD"}
}

// mostly is the share of a file, in percent, that must be of licences.
const mostly = 75

func main() {
	var b bom
	flag.StringVar(&b.root, "root", ".", "root of the repository")
	flag.StringVar(&b.name, "name", "", "name of the archive")
	flag.StringVar(&b.version, "version", "", "version of the archive")
	out := flag.String("o", "", "bill of materials to write")
	licences := flag.String("licences", "", "file to write with the licences")
	flag.Parse()
	if err := b.run(flag.Args(), *out, *licences); err != nil {
		fmt.Fprintln(os.Stderr, "bom:", err)
		os.Exit(1)
	}
}

type bom struct {
	root, name, version string

	programs []program
	modules  map[string]*module // by path
}

// program is a binary of the archive.
type program struct {
	file, sum string
	info      *debug.BuildInfo
}

// module is a Go module that is linked.
type module struct {
	path, version, sum string
	texts              map[string][]byte // licences and notices by name
	ids                []string          // of the licences, as SPDX names them
}

func (b *bom) run(files []string, out, licences string) error {
	if len(files) == 0 || out == "" || licences == "" {
		return errors.New("usage: bom -root DIR -name NAME -version VERSION -o FILE -licences FILE PROGRAM...")
	}
	b.modules = map[string]*module{}
	for _, file := range files {
		if err := b.read(file); err != nil {
			return err
		}
	}
	packages, err := b.packages()
	if err != nil {
		return err
	}
	if err := b.collect(packages); err != nil {
		return err
	}
	if err := os.WriteFile(licences, b.licences(), 0o644); err != nil {
		return err
	}
	return b.write(out)
}

// read reads what a program was built from.
func (b *bom) read(file string) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read what %s was built from: %w", filepath.Base(file), err)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	b.programs = append(b.programs, program{file, hex.EncodeToString(hash.Sum(nil)), info})
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		b.modules[dep.Path] = &module{path: dep.Path, version: dep.Version, sum: dep.Sum, texts: map[string][]byte{}}
	}
	return nil
}

// goPackage is what the go command says of a package.
type goPackage struct {
	ImportPath, Dir string
	Standard        bool
	Module          *struct{ Path, Version, Dir string }
}

// packages returns the packages that are linked into the programs.
func (b *bom) packages() ([]goPackage, error) {
	args := []string{"list", "-deps", "-json=ImportPath,Dir,Standard,Module"}
	env := append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	for _, p := range b.programs {
		args = append(args, p.info.Path)
	}
	for _, s := range b.programs[0].info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" {
			env = append(env, s.Key+"="+s.Value)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = b.root, env, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// collect reads the licences of the packages: those in the directory of each, and
// in those above it, up to that of the module.
func (b *bom) collect(packages []goPackage) error {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	std := &module{path: "std", version: b.programs[0].info.GoVersion, texts: map[string][]byte{}}
	if err := std.add(strings.TrimSpace(string(goroot)), "."); err != nil {
		return err
	}
	for _, p := range packages {
		if p.Standard || p.Module == nil || b.modules[p.Module.Path] == nil {
			continue
		}
		m := b.modules[p.Module.Path]
		rel, err := filepath.Rel(p.Module.Dir, p.Dir)
		if err != nil {
			return err
		}
		for ; ; rel = filepath.Dir(rel) {
			if err := m.add(p.Module.Dir, rel); err != nil {
				return err
			}
			if rel == "." {
				break
			}
		}
	}
	b.modules["std"] = std
	var problems []error
	for _, m := range b.sorted() {
		problems = append(problems, m.judge())
	}
	return errors.Join(problems...)
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-._].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^(notice|patents|copyright)([-._].*)?$`)
)

// add reads the licences and notices in a directory of the module.
func (m *module) add(root, rel string) error {
	entries, err := os.ReadDir(filepath.Join(root, rel))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.ToSlash(filepath.Join(rel, e.Name()))
		if ext := filepath.Ext(name); !e.Type().IsRegular() || ext == ".go" || ext == ".docs" || // documentation is not linked
			m.texts[name] != nil ||
			!licenceFile.MatchString(e.Name()) && !noticeFile.MatchString(e.Name()) {
			continue
		}
		if m.texts[name], err = os.ReadFile(filepath.Join(root, rel, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// judge finds out which licences m has.
func (m *module) judge() error {
	ids := map[string]bool{}
	for name, text := range m.texts {
		if !licenceFile.MatchString(filepath.Base(name)) {
			continue
		}
		found := licensecheck.Scan(text)
		if found.Percent < mostly {
			return fmt.Errorf("%s: %s is no licence that is known (%.0f %%)", m.path, name, found.Percent)
		}
		for _, match := range found.Match {
			ids[match.ID] = true
		}
	}
	if len(ids) == 0 {
		return fmt.Errorf("%s %s has no licence", m.path, m.version)
	}
	m.ids = slices.Sorted(maps.Keys(ids))
	for _, id := range m.ids {
		if !slices.Contains(permitted(), id) {
			return fmt.Errorf("%s has the licence %s, which is not in the list of permitted ones", m.path, id)
		}
	}
	return nil
}

func (b *bom) sorted() []*module {
	all := slices.Collect(maps.Values(b.modules))
	slices.SortFunc(all, func(x, y *module) int { return cmp.Compare(x.path, y.path) })
	return all
}

// licences returns the texts, each once, with the modules that it is of.
func (b *bom) licences() []byte {
	of := map[string][]string{}
	var order []string
	for _, m := range b.sorted() {
		for _, name := range slices.Sorted(maps.Keys(m.texts)) {
			text := strings.TrimSpace(string(m.texts[name])) + "\n"
			if of[text] == nil {
				order = append(order, text)
			}
			of[text] = append(of[text], fmt.Sprintf("%s %s (%s)", m.path, m.version, name))
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "What others wrote is linked into the programs of %s, under these licences.\n", b.name)
	for _, text := range order {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s", strings.Repeat("=", 78), strings.Join(of[text], "\n"), text)
	}
	return []byte(out.String())
}

// write writes the bill of materials, without times and random names, so that
// the same programs have the same one.
func (b *bom) write(path string) error {
	doc := cdx.NewBOM()
	first := b.programs[0].info
	top := cdx.Component{
		BOMRef: b.name, Type: cdx.ComponentTypeApplication, Name: b.name, Version: b.version,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
	}
	doc.Metadata = &cdx.Metadata{Component: &top, Properties: settings(first)}
	var components []cdx.Component
	dependencies := []cdx.Dependency{{Ref: b.name, Dependencies: &[]string{}}}
	for _, p := range b.programs {
		name := filepath.Base(p.file)
		components = append(components, cdx.Component{
			BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: b.version,
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.sum}},
		})
		*dependencies[0].Dependencies = append(*dependencies[0].Dependencies, name)
		dependencies = append(dependencies, cdx.Dependency{Ref: name, Dependencies: b.linked(p)})
	}
	for _, m := range b.sorted() {
		components = append(components, m.component())
	}
	doc.Components, doc.Dependencies = &components, &dependencies
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(doc, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// settings returns with what flags, and from which commit, a program was built.
func settings(info *debug.BuildInfo) *[]cdx.Property {
	all := []cdx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		all = append(all, cdx.Property{Name: "go:" + s.Key, Value: s.Value})
	}
	return &all
}

// linked returns the references of what a program is linked from.
func (b *bom) linked(p program) *[]string {
	refs := []string{b.modules["std"].purl()}
	for _, dep := range p.info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		refs = append(refs, b.modules[dep.Path].purl())
	}
	slices.Sort(refs)
	return &refs
}

func (m *module) purl() string { return "pkg:golang/" + m.path + "@" + m.version }

func (m *module) component() cdx.Component {
	c := cdx.Component{
		BOMRef: m.purl(), Type: cdx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: m.purl(),
		Licenses: &cdx.Licenses{},
	}
	for _, id := range m.ids {
		*c.Licenses = append(*c.Licenses, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	if m.sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.sum}}
	}
	return c
}
