// SPDX-License-Identifier: Apache-2.0

package krew

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Pack writes the archive for t into the directory dist and returns its path.
// It takes the binaries from the directory bin and the licence from the
// repository at root. The same input gives the same bytes.
func Pack(root, bin, dist string, t Target, binaries []string) (path string, err error) {
	if err = os.MkdirAll(dist, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(dist, t.Archive())
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zip := gzip.NewWriter(file)
	out := tar.NewWriter(zip)
	if err = addFile(out, filepath.Join(root, "LICENSE"), 0o644); err != nil {
		return "", err
	}
	for _, name := range binaries {
		if err = addFile(out, filepath.Join(bin, t.exe(name)), 0o755); err != nil {
			return "", err
		}
	}
	return path, errors.Join(out.Close(), zip.Close())
}

// addFile adds a file under its base name, with nothing of this machine in its
// header: no owner and no time.
func addFile(out *tar.Writer, path string, mode int64) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("pack %s: build it first: %w", filepath.Base(path), err)
	}
	head := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.Base(path), Mode: mode, Size: int64(len(data))}
	if err = out.WriteHeader(head); err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// unpack writes the files of an archive into dir. As krew does, it takes plain
// files and directories only, and no path that leads out of dir.
func unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	in := tar.NewReader(zip)
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		if err := unpackEntry(in, head, dir); err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
	}
}

func unpackEntry(in io.Reader, head *tar.Header, dir string) error {
	if strings.Contains(head.Name, "..") || strings.HasPrefix(head.Name, "/") || strings.HasPrefix(head.Name, `\`) {
		return fmt.Errorf("entry %q leads out of the archive", head.Name)
	}
	path := filepath.Join(dir, filepath.FromSlash(head.Name))
	switch head.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(path, 0o755)
	case tar.TypeReg:
	default:
		return fmt.Errorf("entry %q is not a plain file", head.Name)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, head.FileInfo().Mode().Perm())
}
