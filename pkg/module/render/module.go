// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// The files that a module has to have.
const (
	moduleFile = "cue.mod/module.cue"
	timoniFile = "timoni.cue"
	valuesFile = "values.cue"
)

// localModuleFile replaces dependencies while they are worked on.
const localModuleFile = "cue.mod/local-module.cue"

// debugFile takes the place of valuesFile where the build tag debugTag is set,
// as @if(debug) and @if(!debug) in the two say.
const (
	debugTag  = "debug"
	debugFile = "debug_values.cue"
)

// valuesFile returns the name of the file that the user's values are merged
// into.
func (req Request) valuesFile() string {
	dir := req.Dir
	if req.Package != DefaultPackage {
		dir = filepath.Join(dir, req.Package)
	}
	if req.Debug && exists(dir, debugFile) {
		return debugFile
	}
	return valuesFile
}

// checkModule finds what is missing before CUE does, in words of modules.
func checkModule(req Request) error {
	info, err := os.Stat(req.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("module %q: %w", req.Origin, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("module %q: %w", req.Origin, err)
	case !info.IsDir():
		return fmt.Errorf("module %q is not a directory: %w", req.Origin, ErrNoModule)
	}
	_, err = os.Stat(filepath.Join(req.Dir, filepath.FromSlash(moduleFile)))
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("module %q: %s: %w", req.Origin, moduleFile, fs.ErrPermission)
	}
	if err != nil {
		return &NoModuleError{Dir: req.Origin}
	}
	// It puts directories in the place of dependencies, and may name any.
	packed := strings.HasPrefix(req.Origin, "oci://") || req.Within == req.Dir
	if packed && exists(req.Dir, localModuleFile) {
		return fail.Refusedf("module %q has %s, which may lead out of it: only a module in a directory may have one", req.Origin, localModuleFile)
	}
	for _, name := range []string{timoniFile, valuesFile} {
		if !exists(req.Dir, name) {
			return fmt.Errorf("module %q has no %s: %w", req.Origin, name, ErrNoModule)
		}
	}
	if req.Package == DefaultPackage {
		return nil
	}
	if !packageRE.MatchString(req.Package) {
		return fail.Invalidf("%q is not the name of a CUE package", req.Package)
	}
	if !exists(req.Dir, req.Package) {
		return fmt.Errorf("module %q has no package %q: there is no such directory in it", req.Origin, req.Package)
	}
	if !exists(req.Dir, req.Package+"/"+valuesFile) {
		return fmt.Errorf("package %q of module %q has no %s", req.Package, req.Origin, valuesFile)
	}
	return nil
}

var packageRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil
}

var kubeVersionRE = regexp.MustCompile(`^v?(\d+)\.(\d+)\+?(?:\.(\d+))?(?:[-+.].*)?$`)

// CheckKubeVersion returns an error unless a module can be told this version of
// Kubernetes.
func CheckKubeVersion(s string) error {
	_, err := parseKubeVersion(s)
	return err
}

// parseKubeVersion returns a server's version as modules read it, MAJOR.MINOR.PATCH.
// Servers add what is not SemVer: v1.27.3-gke.100, 1.30+.
func parseKubeVersion(s string) (string, error) {
	m := kubeVersionRE.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return "", fail.Invalidf("%q is not a version of Kubernetes such as 1.36.0", s)
	}
	if m[3] == "" {
		m[3] = "0"
	}
	return m[1] + "." + m[2] + "." + m[3], nil
}
