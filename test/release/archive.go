// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Source is what archives are made of.
type Source struct {
	Root     string // of the repository
	Bin      string // directory of the programs
	Licences string // file with the licences of what is linked
}

// Pack writes the archive of p for t into the directory dist and returns its
// path. The same input gives the same bytes.
func (p Package) Pack(from Source, dist, version string, t Target) (path string, err error) {
	files, err := p.files(from, t)
	if err != nil {
		return "", err
	}
	if err = os.MkdirAll(dist, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(dist, p.Archive(version, t))
	file, err := os.Create(path + ".new")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err == nil {
			err = os.Rename(file.Name(), path)
		}
	}()
	zip := gzip.NewWriter(file)
	out := tar.NewWriter(zip)
	for _, f := range files {
		if err = f.add(out); err != nil {
			return "", err
		}
	}
	return path, errors.Join(out.Close(), zip.Close())
}

// entry is a file of this machine and what it becomes in an archive.
type entry struct {
	path, name string
	mode       int64
}

func (p Package) files(from Source, t Target) ([]entry, error) {
	own := licences()
	files := []entry{{filepath.Join(from.Root, own[0]), own[0], 0o644}, {from.Licences, own[1], 0o644}}
	all, err := Programs(from.Root)
	if err != nil {
		return nil, err
	}
	for _, name := range p.Programs(all) {
		files = append(files, entry{filepath.Join(from.Bin, t.Program(name)), t.Program(name), 0o755})
	}
	if !p.whole {
		return files, nil
	}
	pages, err := filepath.Glob(filepath.Join(from.Root, "docs", "man", "*.1"))
	for _, page := range pages {
		files = append(files, entry{page, "man/" + filepath.Base(page), 0o644})
	}
	return files, err
}

// add adds a file with nothing of this machine in its header: no owner and no
// time. krew unpacks plain files only.
func (e entry) add(out *tar.Writer) error {
	data, err := os.ReadFile(e.path)
	if err != nil {
		return fmt.Errorf("pack %s: build it first: %w", e.name, err)
	}
	head := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(data))}
	if err = out.WriteHeader(head); err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}
