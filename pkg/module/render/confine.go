// SPDX-License-Identifier: Apache-2.0

package render

import (
	"io"
	"os"
	"path/filepath"

	"cuelang.org/go/cue/token"
)

// confine makes @embed in the module's files read through a root that no
// symbolic link leaves: a module from a registry or a remote base must not
// read the files of the user who renders it. The root is to be closed after the
// evaluation.
func (f *files) confine() (io.Closer, error) {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, p := range f.parsed {
		if p.file == nil || p.file.Pos().File() == nil {
			continue
		}
		rel, err := filepath.Rel(f.root, name)
		if err != nil || !filepath.IsLocal(rel) {
			continue // from a CUE registry, whose modules have a root of their own
		}
		p.file.Pos().File().SetFSLoc(token.FSLoc{FS: root.FS(), Path: filepath.ToSlash(rel)})
	}
	return root, nil
}
