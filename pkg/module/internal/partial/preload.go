// SPDX-License-Identifier: Apache-2.0

package partial

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/load"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/outline"
)

// Overlay returns of the vendored files that a package leads to what is before
// their fields, for the loader to read instead: it would read, decode and parse
// the whole of them twice. What is not found here the loader reads itself.
func (l *Loader) Overlay(dir string) map[string]load.Source {
	if l == nil || l.earlier != nil {
		return nil
	}
	p := &preloader{loader: l, overlay: map[string]load.Source{}, seen: map[string]bool{}}
	p.dir(dir)
	return p.overlay
}

type preloader struct {
	loader  *Loader
	overlay map[string]load.Source // by path
	seen    map[string]bool        // directories, and paths of imports
}

// dir reads the files of a directory.
func (p *preloader) dir(dir string) {
	if p.seen[dir] {
		return
	}
	p.seen[dir] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && filepath.Ext(entry.Name()) == ".cue" {
			p.file(filepath.Join(dir, entry.Name()))
		}
	}
	// The files of the directories above may belong to the package too.
	if parent := filepath.Dir(dir); dir != p.loader.root && !IsVendored(p.loader.root, dir) {
		p.dir(parent)
	}
}

func (p *preloader) file(name string) {
	src, err := os.ReadFile(name)
	if err != nil {
		return
	}
	if v := p.loader.outlined(name, src); v != nil {
		p.loader.read[name] = v
		src = src[:v.outline.Header]
		p.overlay[name] = load.FromBytes(src)
	}
	for _, imported := range outline.Imports(src) {
		p.imported(ast.ParseImportPath(imported).Path)
	}
}

// imported reads the directories of an imported package. The module's own path
// is what is before that of a directory in it.
func (p *preloader) imported(name string) {
	if p.seen[name] || !strings.Contains(name, ".") {
		return
	}
	p.seen[name] = true
	for _, kind := range []string{"gen", "pkg", "usr"} {
		p.dir(filepath.Join(p.loader.root, "cue.mod", kind, filepath.FromSlash(path.Clean("/"+name))))
	}
	for ; name != ""; _, name, _ = strings.Cut(name, "/") {
		dir := filepath.Join(p.loader.root, filepath.FromSlash(path.Clean("/"+name)))
		if _, err := os.Stat(dir); err == nil {
			p.dir(dir)
		}
	}
}
