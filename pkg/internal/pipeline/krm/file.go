// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// A function runs with the rights of the user, also when its config was
// fetched from elsewhere as part of a remote base, and kustomize's own
// restrictions do not bind it. So what a config may name follows kustomize's
// rules for its own files: a file lies below the root of the kustomization. A
// directory with a root of its own, which a module is as a base is, may also
// lie elsewhere in the same repository; a remote base ends at its clone.

// localFile returns the path of a file that is named relative to the base
// directory and lies below it.
func localFile(base, name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("it is empty and not the name of a file")
	case strings.Contains(name, "://"):
		return "", fail.Hint(fmt.Errorf("%q is an address, and a function config names files", name), "keep a copy of it below the directory of the kustomization")
	case !filepath.IsLocal(name):
		return "", fail.Hint(fail.Refusedf("%q leaves the directory of the kustomization", name),
			"keep the file below it, and name it relative to it")
	}
	path := filepath.Join(base, name)
	inside, err := values.Within(base, path)
	if err == nil && !inside {
		return "", fail.Refusedf("%q leaves the directory of the kustomization through a link", name)
	}
	return path, nil
}

// readFile reads such a file.
func readFile(ctx context.Context, base, name string) (input.Content, error) {
	path, err := localFile(base, name)
	if err != nil {
		return input.Content{}, err
	}
	in, err := input.Read(ctx, path)
	if err != nil {
		return input.Content{}, fmt.Errorf("file %q: %w", name, err)
	}
	return in, nil
}

// readValues reads a file of values, named relative to the base directory, which
// may be encrypted.
func (f Function) readValues(ctx context.Context, name string) (values.Source, error) {
	path, err := localFile(f.Dir, name)
	if err != nil {
		return values.Source{}, err
	}
	if path == "-" {
		return values.Source{}, errors.New("a function has no standard input to read values from")
	}
	src, err := values.ReadFile(ctx, path)
	if err != nil {
		return values.Source{}, err
	}
	src.Name = name
	src.Dir = "" // what @embed reads could be a link to anywhere
	src, err = src.Decrypted(ctx, f.Trust.Decrypt)
	return src, allowSOPS(err)
}

// readBundle reads a file of a bundle, which may be encrypted.
func (f Function) readBundle(ctx context.Context, name string) (cuefile.File, error) {
	file, err := readCUE(ctx, f.Dir, name)
	if err != nil {
		return file, err
	}
	file, err = file.Decrypted(ctx, f.Trust.Decrypt)
	return file, allowSOPS(err)
}

// allowSOPS says how to allow what an error says is not decrypted.
func allowSOPS(err error) error {
	if !errors.Is(err, sops.ErrEncrypted) {
		return err
	}
	return fail.Hint(fail.Refuse(err), "if this config may use your keys, export TIMONI_KRM_ALLOW_SOPS=1")
}

// readCUE reads a file of CUE, YAML or JSON.
func readCUE(ctx context.Context, base, name string) (cuefile.File, error) {
	in, err := readFile(ctx, base, name)
	return cuefile.File{Name: name, Path: filepath.Join(base, name), Format: cuefile.FormatOf(name), Data: in.Data, Stored: in.Stored}, err
}

// moduleDir returns the directory of a module that is named relative to the
// base directory. One that does not exist is left to be found missing later.
func moduleDir(base, name string) (string, error) {
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	return dir, checkModule(base, dir, name)
}

// checkModule returns an error unless the directory of a module, which is
// called name, is where a function config may have one.
func checkModule(base, dir, name string) error {
	inside, err := values.Within(repository(base), dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && inside {
		return nil
	}
	if err != nil {
		return err
	}
	return fail.Hint(fail.Refusedf("%q lies outside the directory of the kustomization and its git repository", name),
		"keep the module in the same repository, or push it to a registry and use oci://")
}

// repository returns the root of the git repository that holds dir, or dir
// itself when none does.
func repository(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for at := abs; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return abs
		}
	}
}
