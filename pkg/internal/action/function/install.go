// SPDX-License-Identifier: Apache-2.0

package function

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

const (
	functionName  = "timoni-krm"
	frontDoorName = "kubectl-timoni"
	// krewName is the name of krew's link to the function, as the package timoni-krm.
	krewName = "kubectl-timoni_krm"
	// launcherMark identifies a launcher of ours. What it runs is
	// said behind it, for the doctor.
	launcherMark = "Written by 'kubectl timoni krm install'."
)

// Installation says where the function is to be found from now on.
type Installation struct {
	Executable string // this function
	FrontDoor  string // the kubectl-timoni that kubectl finds, links kept; empty when there is none
	Krew       string // krew's link to this function, which is a package of its own; empty when it is none
	Dir        string // for the function; empty: next to the link of krew or the front door
	PluginHome string // of kustomize, for the links of kubectl kustomize; empty: none
}

// Install makes the function available under its name in a directory of PATH,
// and under the names of its kinds in kustomize's plugin home. It returns the
// paths; what is there already stays. A file that is not ours is refused, and
// then nothing is written.
//
// Where krew installed the front door, or the function alone, the function's
// directory is gone after an upgrade, but krew's link stays: a launcher goes
// through that. Elsewhere a link does.
func Install(in Installation) ([]string, error) {
	executable, err := filepath.EvalSymlinks(in.Executable)
	if err != nil {
		return nil, err
	}
	in.Executable = executable
	path, err := in.function()
	if err != nil {
		return nil, err
	}
	entries := []entry{in.entry(path)}
	if in.PluginHome != "" {
		for _, name := range krm.PluginPaths() {
			entries = append(entries, entry{path: filepath.Join(in.PluginHome, name), link: path})
		}
	}
	var paths []string
	for _, e := range entries {
		if err := e.check(); err != nil {
			return nil, err
		}
		paths = append(paths, e.path)
	}
	for _, e := range entries {
		if err := e.write(); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// FindFrontDoor returns the kubectl-timoni that kubectl finds on this PATH,
// which may be a link, or "".
func FindFrontDoor(path string) string {
	return find(path, frontDoorName, func(string) bool { return true })
}

// FindKrew returns krew's link on this PATH to the executable of the function,
// or "": it is installed in another way then.
func FindKrew(path, executable string) string {
	return find(path, krewName, func(file string) bool { return isLink(file) && sameFile(file, executable) })
}

// find returns the first file of a name on a PATH that is acceptable, or "".
func find(path, name string, acceptable func(string) bool) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && filepath.IsAbs(file) && acceptable(file) {
			return file
		}
	}
	return ""
}

// PluginHome returns the directory in which kustomize looks for plugins of the
// old style, by the rules of its konfig.DefaultAbsPluginHome; unlike that it
// need not be there.
func PluginHome(getenv func(string) string) string {
	if home := getenv("KUSTOMIZE_PLUGIN_HOME"); home != "" {
		return home
	}
	config := getenv("XDG_CONFIG_HOME")
	if config == "" {
		home := getenv("HOME")
		if runtime.GOOS == "windows" {
			home = getenv("USERPROFILE")
		}
		config = filepath.Join(home, ".config")
	}
	return filepath.Join(config, "kustomize", "plugin")
}

// function returns the path under which the function is to be found.
func (in Installation) function() (string, error) {
	dir := in.Dir
	if dir == "" {
		dir = filepath.Dir(in.Executable)
		if outer := cmp.Or(in.Krew, in.FrontDoor); outer != "" {
			dir = filepath.Dir(outer)
		}
	}
	name := functionName
	if runtime.GOOS == "windows" {
		name += ".cmd"
		if in.isThere(filepath.Join(dir, functionName+".exe")) {
			name = functionName + ".exe"
		}
	}
	return filepath.Abs(filepath.Join(dir, name))
}

func (in Installation) entry(path string) entry {
	switch {
	case in.isThere(path):
		return entry{path: path}
	case in.Krew != "":
		return entry{path: path, content: launcher(in.Krew, "")}
	case in.FrontDoor != "" && (isLink(in.FrontDoor) || runtime.GOOS == "windows"):
		return entry{path: path, content: launcher(in.FrontDoor, " krm")}
	}
	return entry{path: path, link: in.Executable}
}

// isThere says whether path is the executable itself, and not a link to it,
// which is made anew as the case may be.
func (in Installation) isThere(path string) bool {
	return !isLink(path) && sameFile(path, in.Executable)
}

// launcher returns a script that runs the function through a program, with a verb
// of it that has a space in front.
func launcher(program, verb string) string {
	if runtime.GOOS == "windows" {
		return "@rem " + launcherMark + " It runs " + program + "\r\n@\"" + program + "\"" + verb + " %*\r\n"
	}
	quoted := "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	return "#!/bin/sh\n# " + launcherMark + " It runs " + program + "\nexec " + quoted + verb + " \"$@\"\n"
}

// entry is a file to make: a link, or a script with a content, or neither when
// it is there.
type entry struct{ path, link, content string }

// ForeignFileError refuses to replace a file that is neither the function nor a
// launcher of it.
type ForeignFileError struct{ Path string }

// Error names the file.
func (e *ForeignFileError) Error() string { return e.Path + " is not of this command's making" }

// check returns an error when a file is in the way that is not ours: neither
// the function, nor a link to something of its name, nor a launcher.
func (e entry) check() error {
	info, err := os.Lstat(e.path)
	if errors.Is(err, fs.ErrNotExist) || e.link == "" && e.content == "" {
		return nil
	}
	if err != nil {
		return err
	}
	foreign := fail.Refuse(&ForeignFileError{Path: e.path})
	if info.Mode()&fs.ModeSymlink != 0 {
		target, readErr := os.Readlink(e.path)
		if readErr == nil && strings.HasPrefix(filepath.Base(target), functionName) {
			return nil
		}
		return foreign
	}
	if !info.Mode().IsRegular() || info.Size() > 1<<14 {
		return foreign
	}
	content, err := os.ReadFile(e.path)
	if err == nil && !bytes.Contains(content, []byte(launcherMark)) {
		return foreign
	}
	return err
}

// write puts the entry in place with one rename, so that a build at the same
// time finds the old one or the new one.
func (e entry) write() error {
	if e.link == "" && e.content == "" {
		return nil
	}
	dir := filepath.Dir(e.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, ".timoni-krm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, functionName)
	if e.link != "" {
		err = os.Symlink(e.link, file)
	} else {
		err = os.WriteFile(file, []byte(e.content), 0o755)
	}
	if err != nil {
		return fmt.Errorf("install %s: %w", e.path, err)
	}
	return os.Rename(file, e.path)
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
