// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

const (
	// shimPrefix begins the name of the executable that kubectl looks up on
	// PATH when the words after a plugin are to be completed
	// (k8s.io/kubectl/pkg/cmd/plugin, lookupCompletionExec).
	shimPrefix = "kubectl_complete-"
	// shimMark identifies a file of ours.
	shimMark = "Written by 'kubectl timoni completion install'."
)

// completed returns the plugins that get a shim, without the prefix kubectl-.
// kubectl asks for the name of the binary that it would run, hence one each.
func completed() []string {
	plugins := []string{strings.TrimPrefix(FrontDoor, "kubectl-")}
	for _, name := range Siblings() {
		if plugin, isPlugin := strings.CutPrefix(name, "kubectl-"); isPlugin {
			plugins = append(plugins, plugin)
		}
	}
	return plugins
}

// errUnknownHome is the error when the directory for the shims has to be named.
var errUnknownHome = errors.New("where kubectl-timoni is installed is not known")

// ForeignFileError refuses to replace a file that is no shim.
type ForeignFileError struct{ Path string }

// Error names the file.
func (e *ForeignFileError) Error() string { return e.Path + " was not written by this command" }

// ShimDir returns the directory for the shims: that of the kubectl-timoni that
// kubectl finds on PATH, which may be a link, else the front door's own.
func (p Places) ShimDir() (string, error) {
	if path, ok := p.onPath(FrontDoor); ok {
		return filepath.Dir(path), nil
	}
	if p.home != "" {
		return p.home, nil
	}
	return "", errUnknownHome
}

// InstallShims writes the executables through which kubectl completes our
// plugins into dir and returns their paths. Before it writes any, it makes
// sure that none of them is a file of another program: that is refused.
func InstallShims(dir string) ([]string, error) {
	files := map[string]string{}
	var paths []string
	for _, plugin := range completed() {
		name, content := shim(plugin)
		path := filepath.Join(dir, name)
		if err := mayReplace(path); err != nil {
			return nil, err
		}
		paths = append(paths, path)
		files[path] = content
	}
	for _, path := range paths {
		if err := writeExecutable(path, files[path]); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// mayReplace returns an error when there is a file at path that is not ours.
func mayReplace(path string) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !bytes.Contains(content, []byte(shimMark)) {
		return fail.Refuse(&ForeignFileError{Path: path})
	}
	return nil
}

// writeExecutable puts the file in place with one rename, so that a completion
// that runs at the same time never reads half of it.
func writeExecutable(path, content string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".completion-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // nothing is left to remove after the rename
	_, err = tmp.WriteString(content)
	if err = errors.Join(err, tmp.Chmod(0o755), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
