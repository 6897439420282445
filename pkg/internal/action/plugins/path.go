// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is one of our names in a directory of PATH.
type file struct {
	name   string // without the extension of Windows
	path   string
	target string // links resolved; empty when the link is dangling
}

// path checks what kubectl and kustomize will run when they look for our names
// on PATH.
func (x Examination) path(context.Context) []Check {
	files := x.files()
	var checks []Check
	for _, find := range []func([]file) []Check{dangling, x.clashes, shadows, x.reachable, x.shims} {
		checks = append(checks, find(files)...)
	}
	for i := range checks {
		checks[i].Name = "PATH"
	}
	if len(checks) == 0 {
		return []Check{{Name: "PATH", Status: OK, Message: "no name clashes, no dangling links, completion set up"}}
	}
	return checks
}

// files returns what has one of our names, in the order of PATH.
func (x Examination) files() []file {
	var files []file
	seen := map[string]bool{}
	for _, dir := range x.Places.Path {
		entries, err := os.ReadDir(dir)
		if err != nil || seen[dir] {
			continue // PATH often names directories that do not exist
		}
		seen[dir] = true
		for _, e := range entries {
			if !ours(e.Name()) || e.IsDir() {
				continue
			}
			f := file{name: stem(e.Name()), path: filepath.Join(dir, e.Name())}
			target, err := resolve(f.path)
			if err == nil && !isExecutable(target) {
				continue // it is never run
			}
			f.target = target
			files = append(files, f)
		}
	}
	return files
}

// resolve returns the file that runs when path does: links are resolved, and so
// is the launcher that 'krm install' writes, which runs the function that lies
// next to the front door.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	frontDoor, ok := launched(target)
	if !ok {
		return target, nil
	}
	if target, err = filepath.EvalSymlinks(frontDoor); err != nil {
		return "", err
	}
	function, ok := lookup(filepath.Dir(target), Function)
	if !ok {
		return "", ErrNotInstalled
	}
	return function, nil
}

// launched returns the front door that a launcher names.
func launched(path string) (frontDoor string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxLauncher {
		return "", false
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	_, rest, ok := strings.Cut(string(content), launcherMark)
	if !ok {
		return "", false
	}
	_, frontDoor, ok = strings.Cut(rest, launcherTarget)
	frontDoor, _, _ = strings.Cut(frontDoor, "\n")
	return strings.TrimSuffix(frontDoor, "\r"), ok
}

const (
	// launcherMark and launcherTarget stand in a launcher, the path of the
	// front door behind the second (action/krm writes them).
	launcherMark   = "Written by 'kubectl timoni krm install'."
	launcherTarget = "It runs "
	maxLauncher    = 1 << 14
)

func ours(name string) bool {
	name = stem(name)
	return name == FrontDoor || name == Function ||
		strings.HasPrefix(name, FrontDoor+"-") || strings.HasPrefix(name, shimPrefix+"timoni")
}

// stem returns the name without the extension of an executable of Windows.
func stem(name string) string {
	for _, ext := range []string{".exe", ".cmd", ".bat"} {
		if rest, ok := strings.CutSuffix(name, ext); ok {
			return rest
		}
	}
	return name
}

func dangling(files []file) []Check {
	var checks []Check
	for _, f := range files {
		if f.target != "" {
			continue
		}
		goal, err := os.Readlink(f.path) // only for the message
		if err != nil {
			goal, _ = launched(f.path)
		}
		c := Check{Status: Fail, Message: fmt.Sprintf("%s is a link to %s, which does not exist", f.path, goal)}
		c.Hint = "remove it, or install the plugin again"
		if f.name == Function {
			c.Hint = "link it again: kubectl timoni krm install"
		}
		checks = append(checks, c)
	}
	return checks
}

// clashes finds names that stand for different files, on PATH or next to the
// front door, which prefers its neighbours while kubectl knows PATH only.
func (x Examination) clashes(files []file) []Check {
	var checks []Check
	for _, name := range append(Siblings(), FrontDoor) {
		var paths, targets []string
		add := func(path, target string) {
			if target != "" && !slices.Contains(targets, target) {
				paths, targets = append(paths, path), append(targets, target)
			}
		}
		for _, f := range files {
			if f.name == name {
				add(f.path, f.target)
			}
		}
		if sibling, ok := lookup(x.Places.home, name); ok {
			if target, err := filepath.EvalSymlinks(sibling); err == nil {
				add(sibling, target)
			}
		}
		if len(paths) > 1 {
			checks = append(checks, Check{
				Status:  Warn,
				Message: fmt.Sprintf("kubectl runs %s, but there is also %s", paths[0], strings.Join(paths[1:], ", ")),
				Hint:    "keep one of them",
			})
		}
	}
	return checks
}

// shadows finds plugins that kubectl prefers because their name is longer: the
// operands of a command take part in the match.
func shadows(files []file) []Check {
	var checks []Check
	known := append(Siblings(), FrontDoor)
	for _, f := range files {
		if !strings.HasPrefix(f.name, FrontDoor+"-") || slices.Contains(known, f.name) {
			continue
		}
		typed := strings.NewReplacer("-", " ", "_", "-").Replace(f.name)
		checks = append(checks, Check{
			Status:  Warn,
			Message: fmt.Sprintf("kubectl runs %s when you type '%s'", f.path, typed),
			Hint:    "remove or rename it: it is not part of this plugin",
		})
	}
	return checks
}

// reachable checks that kubectl finds the front door, and kustomize the
// function, which it looks up by its bare name.
func (x Examination) reachable([]file) []Check {
	var checks []Check
	if _, ok := x.Places.onPath(FrontDoor); !ok {
		c := Check{Status: Fail, Message: FrontDoor + " is not on PATH: kubectl does not find it"}
		if x.Places.home != "" {
			c.Hint = "add " + x.Places.home + " to PATH"
		}
		checks = append(checks, c)
	}
	if _, ok := x.Places.onPath(Function); ok {
		return checks
	}
	if _, err := x.Places.Find(Function); err == nil {
		checks = append(checks, Check{
			Status: Warn, Message: Function + " is not on PATH: 'kustomize build' does not find it by its name",
			Hint: "kubectl timoni krm install",
		})
	}
	return checks
}

// shims checks that kubectl can complete each plugin that it finds.
func (x Examination) shims(files []file) []Check {
	var missing []string
	for _, plugin := range completed() {
		if _, ok := x.Places.onPath("kubectl-" + plugin); !ok {
			continue
		}
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == shimPrefix+plugin }) {
			missing = append(missing, shimPrefix+plugin)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []Check{{
		Status: Warn, Message: "kubectl cannot complete these commands: there is no " + strings.Join(missing, ", "),
		Hint: "kubectl timoni completion install",
	}}
}
