// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
)

// RecordFile is where the repository keeps the record of the last release, and
// the name of the record next to the archives.
const RecordFile = "release.json"

// none stands for the checksum of an archive that does not exist. Every package
// manager takes it for a checksum and refuses whatever it downloads.
const none = "0000000000000000000000000000000000000000000000000000000000000000"

// Record is what was released: all that manifests say of it follows from it.
type Record struct {
	Version  string            `json:"version"`  // the tag
	Base     string            `json:"base"`     // URL that the archives are below
	Archives map[string]string `json:"archives"` // SHA-256 by name
}

// Unreleased returns the record of a repository without a release: with it
// package managers refuse to install.
func Unreleased() Record {
	r := newRecord("v" + cli.Unreleased)
	for _, p := range Packages() {
		for _, t := range Targets() {
			r.Archives[p.Archive(r.Version, t)] = none
		}
	}
	return r
}

func newRecord(version string) Record {
	return Record{Version: version, Base: homepage + "/releases/download/" + version, Archives: map[string]string{}}
}

// released reports whether all the archives exist.
func (r Record) released() bool {
	for _, sum := range r.Archives {
		if sum == none {
			return false
		}
	}
	return len(r.Archives) > 0
}

// Collect returns the record of the archives of a version in the directory dist.
func Collect(dist, version string) (Record, error) {
	r := newRecord(version)
	for _, p := range Packages() {
		for _, t := range Targets() {
			name := p.Archive(version, t)
			if !readable(filepath.Join(dist, name)) {
				continue
			}
			hash, err := Sum(filepath.Join(dist, name))
			if err != nil {
				return Record{}, err
			}
			r.Archives[name] = hash
		}
	}
	if len(r.Archives) == 0 {
		return Record{}, fmt.Errorf("no archive of %s is in %s: pack it first", version, dist)
	}
	return r, nil
}

// ReadRecord reads a record.
func ReadRecord(path string) (Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err = json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// Text returns r as a file.
func (r Record) Text() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

// Sum returns the SHA-256 of a file, in hexadecimal digits.
func Sum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err = io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// sums returns what sha256sum -c checks the files of dist with.
func sums(dist string, names []string) ([]byte, error) {
	var out strings.Builder
	for _, name := range names {
		hash, err := Sum(filepath.Join(dist, name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%s  %s\n", hash, name)
	}
	return []byte(out.String()), nil
}
