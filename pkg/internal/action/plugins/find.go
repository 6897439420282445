// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// ErrNotInstalled is the error for a binary that is in none of the places
// where it is looked for.
var ErrNotInstalled = errors.New("not installed")

// Places are the directories in which the binaries are looked for.
type Places struct {
	home string   // the directory of the front door's own executable; empty when unknown
	Path []string // the directories of PATH
}

// NewPlaces returns the places for the front door's executable, links
// resolved, and the value of PATH.
func NewPlaces(executable, path string) Places {
	p := Places{Path: filepath.SplitList(path)}
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		p.home = filepath.Dir(resolved)
	}
	return p
}

// Find returns the path of one of the binaries: the one next to the front door,
// because it was installed together with it, else the first on PATH. Its error
// is ErrNotInstalled, with the way to mend it as a hint.
func (p Places) Find(name string) (string, error) {
	if path, ok := lookup(p.home, name); ok {
		return path, nil
	}
	if path, ok := p.onPath(name); ok {
		return path, nil
	}
	err := fmt.Errorf("%w: %s, which has the verbs %s", ErrNotInstalled, name, strings.Join(verbsOf(name), ", "))
	return "", fail.Hint(err, "install all binaries again, or put %s next to %s", name, FrontDoor)
}

// onPath returns the first executable of that name on PATH.
func (p Places) onPath(name string) (string, bool) {
	for _, dir := range p.Path {
		if path, ok := lookup(dir, name); ok {
			return path, true
		}
	}
	return "", false
}

func lookup(dir, name string) (string, bool) {
	if dir == "" {
		return "", false
	}
	for _, file := range fileNames(name) {
		if path := filepath.Join(dir, file); isExecutable(path) {
			return path, true
		}
	}
	return "", false
}

// IsPlugin reports whether kubectl itself finds a plugin for the verb.
func (p Places) IsPlugin(verb string) bool {
	_, ok := p.onPath(FrontDoor + "-" + verb)
	return ok
}
