// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Inputs are where files are read from, other than the disk.
type Inputs struct {
	Stdin    io.Reader
	Download download.Options // of URLs
	// Decrypt decrypts what SOPS encrypted, nil to refuse it.
	Decrypt sops.Decrypter
	// Pull returns the directory with the content of an artifact oci://…, and the
	// name of the artifact. nil refuses artifacts.
	Pull func(ctx context.Context, reference string) (dir, name string, err error)
	// Workdir is the directory whose CUE module imports are resolved in, empty for
	// that around the files.
	Workdir string
}

// ReadFiles reads the files of a command line in their order: a file, a
// directory, of which the files in CUE, YAML and JSON directly in it are read
// by name, an artifact with such a directory, an https URL, or - for the standard
// input.
func ReadFiles(ctx context.Context, names []string, in Inputs) ([]cuefile.File, error) {
	var files []cuefile.File
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fail.Invalidf("file %q is given twice", name)
		}
		read, err := in.read(ctx, name)
		if err != nil {
			return nil, err
		}
		for i, f := range read {
			f.Workdir = in.Workdir
			if read[i], err = f.Decrypted(ctx, in.Decrypt); err != nil {
				return nil, err
			}
		}
		files = append(files, read...)
	}
	return files, nil
}

func (in Inputs) read(ctx context.Context, name string) ([]cuefile.File, error) {
	switch {
	case name == "-":
		data, err := input.All(ctx, in.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read the standard input: %w", err)
		}
		return []cuefile.File{{Name: values.StdinName, Format: values.DetectFormat(values.StdinName, data), Data: data}}, nil
	case strings.HasPrefix(name, "oci://") && in.Pull != nil:
		return in.pull(ctx, name)
	case download.IsURL(name):
		return in.get(ctx, name)
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return readDir(ctx, name)
	}
	f, err := cuefile.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	if !isKnown(name) {
		f.Format = values.DetectFormat(f.Name, f.Data)
	}
	if info != nil && !info.Mode().IsRegular() {
		f.Path = "" // a pipe of the shell, which is nowhere
	}
	return []cuefile.File{f}, nil
}

// get downloads a file. It has no directory, so that it cannot embed files.
func (in Inputs) get(ctx context.Context, address string) ([]cuefile.File, error) {
	data, err := download.Get(ctx, address, in.Download)
	if err != nil {
		return nil, err
	}
	name := mask.URL(address)
	format := values.DetectFormat(name, data)
	if u, err := url.Parse(address); err == nil && isKnown(u.Path) {
		format = cuefile.FormatOf(path.Base(u.Path))
	}
	return []cuefile.File{{Name: name, Format: format, Data: data}}, nil
}

// pull reads the files of an artifact.
func (in Inputs) pull(ctx context.Context, reference string) ([]cuefile.File, error) {
	dir, name, err := in.Pull(ctx, reference)
	if err != nil {
		return nil, err
	}
	files, err := readDir(ctx, dir)
	if err != nil {
		return nil, fail.Invalidf("artifact %q: it has no file with the extension .cue, .yaml, .yml or .json in its top directory", name)
	}
	for i, f := range files {
		files[i].Name, files[i].Root = name+"/"+filepath.Base(f.Path), dir
		files[i].Stored = false // the directory is removed
	}
	return files, nil
}

func readDir(ctx context.Context, dir string) ([]cuefile.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []cuefile.File
	for _, entry := range entries {
		if entry.IsDir() || !isKnown(entry.Name()) {
			continue
		}
		f, err := cuefile.Read(ctx, filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if files == nil {
		return nil, fail.Invalidf("directory %q: it has no file with the extension .cue, .yaml, .yml or .json", dir)
	}
	return files, nil
}

// isKnown says whether a name has the extension of one of the formats.
func isKnown(name string) bool {
	return slices.Contains([]string{".cue", ".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}
