// SPDX-License-Identifier: Apache-2.0

package build

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
)

// DirectoryRequest says how objects are written to a directory.
type DirectoryRequest struct {
	Dir             string // is made if it does not exist
	Name, Namespace string // of the instance
	Objects         []api.Object
	Comments        []string // a line for each object, or nil
	// Complete says that the objects are all of the instance's, so that files
	// of others, from an earlier run, are removed.
	Complete bool
	// Overwrite lets files be replaced that were not written for the instance.
	Overwrite bool
}

// Written counts what was done to a directory.
type Written struct {
	Dir                         string
	written, unchanged, removed int
}

// String returns the counts in words.
func (w Written) String() string {
	return fmt.Sprintf("%s: %d written, %d unchanged, %d removed", w.Dir, w.written, w.unchanged, w.removed)
}

// WriteDirectory writes each object to a file of its own, which is named for
// the object. The first line of a file says for which instance it was written:
// other files are neither replaced nor removed. Nothing is changed when one of
// them is in the way.
func WriteDirectory(req DirectoryRequest) (Written, error) {
	done := Written{Dir: req.Dir}
	if err := link.Check(req.Dir, "."); err != nil {
		return done, fmt.Errorf("output directory: %w", err)
	}
	if err := os.MkdirAll(req.Dir, 0o755); err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return done, fmt.Errorf("output directory %q: %w", req.Dir, err)
	}
	files, err := req.files()
	if err != nil {
		return done, err
	}
	stale, err := req.stale(files)
	if err != nil {
		return done, err
	}
	for _, f := range files {
		changed, err := f.write()
		if err != nil {
			return done, err
		}
		if changed {
			done.written++
		} else {
			done.unchanged++
		}
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return done, err
		}
		done.removed++
	}
	return done, nil
}

// header is the first line of the files of the instance.
func (req DirectoryRequest) header() string {
	return fmt.Sprintf("# kubectl timoni build %s -n %s\n", req.Name, req.Namespace)
}

// file is what one file is to hold.
type file struct {
	name string
	data []byte
	mode fs.FileMode
}

// ForeignFilesError refuses to replace files that were not written for the
// instance.
type ForeignFilesError struct {
	Files           []string
	Name, Namespace string // of the instance
}

// Error names the files.
func (e *ForeignFilesError) Error() string {
	return fmt.Sprintf("%s: not written for %s in %s", strings.Join(e.Files, ", "), e.Name, e.Namespace)
}

// files returns the files to write, and refuses to replace any other.
func (req DirectoryRequest) files() ([]file, error) {
	files := make([]file, len(req.Objects))
	var foreign []string
	for i, o := range req.Objects {
		var comments []string
		if req.Comments != nil {
			comments = req.Comments[i : i+1]
		}
		f := file{
			name: filepath.Join(req.Dir, fileName(o)), mode: 0o644,
			data: append([]byte(req.header()), api.CommentedYAML([]api.Object{o}, comments)...),
		}
		if o.Kind() == "Secret" {
			f.mode = 0o600
		}
		ours, err := req.owns(f.name)
		if err != nil {
			return nil, err
		}
		if !ours {
			foreign = append(foreign, f.name)
		}
		files[i] = f
	}
	if len(foreign) > 0 && !req.Overwrite {
		return nil, fail.Refuse(&ForeignFilesError{Files: foreign, Name: req.Name, Namespace: req.Namespace})
	}
	return files, nil
}

// owns says whether a file may be replaced: it is of the instance, or not there.
func (req DirectoryRequest) owns(name string) (bool, error) {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, nil
	}
	data, err := os.ReadFile(name)
	return bytes.HasPrefix(data, []byte(req.header())), err
}

// stale returns the files of the instance that are none of files.
func (req DirectoryRequest) stale(files []file) ([]string, error) {
	if !req.Complete {
		return nil, nil
	}
	found, err := os.ReadDir(req.Dir)
	if err != nil {
		return nil, err
	}
	var stale []string
	for _, entry := range found {
		name := filepath.Join(req.Dir, entry.Name())
		isWanted := func(f file) bool { return f.name == name }
		if filepath.Ext(name) != fileExtension || slices.ContainsFunc(files, isWanted) {
			continue
		}
		ours, err := req.owns(name)
		if err != nil {
			return nil, err
		}
		if ours {
			stale = append(stale, name)
		}
	}
	return stale, nil
}

// write replaces the file as a whole, unless it holds the data already.
func (f file) write() (changed bool, err error) {
	if info, missing := os.Lstat(f.name); missing == nil && info.Mode().IsRegular() {
		if old, unread := os.ReadFile(f.name); unread == nil && bytes.Equal(old, f.data) {
			return false, nil
		}
	}
	return true, link.Replace(filepath.Dir(f.name), filepath.Base(f.name), f.data, f.mode)
}

const fileExtension = ".yaml"

// fileName returns the name of the file for an object: the kind with its group,
// the namespace and the name, as in deployment.apps_prod_web.yaml. Distinct
// objects have distinct names, also where upper and lower case are the same.
func fileName(o api.Object) string {
	id := o.ID()
	kind := strings.ToLower(id.Kind)
	if id.Group != "" {
		kind += "." + id.Group
	}
	parts := []string{escape(kind)}
	if id.Namespace != "" {
		parts = append(parts, escape(id.Namespace))
	}
	return strings.Join(append(parts, escape(id.Name)), "_") + fileExtension
}

// escape writes what not every file system has in a name, and what separates
// the parts, as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
