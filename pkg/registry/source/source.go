// SPDX-License-Identifier: Apache-2.0

// Package source turns a module reference into a directory of content that can
// be trusted to be what the reference names.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// ErrNoDirectory says that a local reference names no directory.
var ErrNoDirectory = errors.New("is not a directory, nor an OCI archive whose name ends in .tar")

// Options say where a module may come from. The zero value works.
type Options struct {
	OCI      oci.Options
	TempDir  string         // holds pulled modules, the system's default when empty
	Observer event.Observer // nil discards
}

// Module is a module whose content is on disk until Close.
type Module struct {
	Dir         string            // of the content
	Repository  string            // as the instance record stores it: oci://…, or the directory as typed
	Version     string            // the annotated version, the tag, or ref.DevelVersion for a directory
	Digest      string            // sha256:…, or ref.UnknownDigest for a directory
	Annotations map[string]string // of the manifest, nil for a directory

	// Within is the directory that nothing of the module leaves, empty for what
	// is read in place or holds no links.
	Within string

	pulled string // what Close removes
}

// Open makes the content of the module that r names available. A directory is
// read in place; an image layout, in an archive or a directory, is unpacked; a module in a registry is pulled into a directory of its own,
// which only this user may enter. The error wraps ErrNoDirectory or one of
// package oci; nothing is left on disk then.
func Open(ctx context.Context, r ref.Reference, o Options) (*Module, error) {
	return openBy(ctx, r, o, open)
}

// OpenArtifact is Open for an artifact of any content in a registry.
func OpenArtifact(ctx context.Context, r ref.Reference, o Options) (*Module, error) {
	return openBy(ctx, r, o, func(ctx context.Context, r ref.Reference, o Options) (*Module, error) {
		return pull(ctx, r, o, func(ctx context.Context, r ref.Reference, dir string, o oci.Options) (archive.Manifest, error) {
			return oci.PullArtifact(ctx, r, dir, "", o)
		})
	})
}

func openBy(ctx context.Context, r ref.Reference, o Options, open func(context.Context, ref.Reference, Options) (*Module, error)) (*Module, error) {
	if o.OCI.Observer == nil {
		o.OCI.Observer = o.Observer
	}
	r, err := Resolve(ctx, r, o)
	if err != nil {
		return nil, unavailable{err}
	}
	m, err := open(ctx, r, o)
	if err != nil && !r.IsLocal() {
		return nil, unavailable{err}
	}
	if err != nil {
		return nil, err
	}
	if o.Observer != nil {
		pulled := event.Pulled{Reference: r.String()}
		if !r.IsLocal() {
			pulled.Digest = m.Digest
		}
		o.Observer.Observe(pulled)
	}
	return m, nil
}

// unavailable is the reason why a module in a registry cannot be used.
type unavailable struct{ error }

// Unwrap returns the reason.
func (u unavailable) Unwrap() error { return u.error }

// IsUnavailable says whether an error of Open is about a registry or a policy,
// and not about the content of a module.
func IsUnavailable(err error) bool {
	_, ok := errors.AsType[unavailable](err)
	return ok
}

// Resolve returns r with the newest version in its range, if it has one, and
// tells the observer which that is. That of an archive is compared when it is
// opened.
func Resolve(ctx context.Context, r ref.Reference, o Options) (ref.Reference, error) {
	if r.IsLocal() {
		return r, nil
	}
	resolved, err := oci.Resolve(ctx, r, o.OCI)
	if err == nil && r.Range != "" && o.Observer != nil {
		o.Observer.Observe(event.Resolved{Range: r.Range, Reference: resolved.String()})
	}
	return resolved, err
}

// Close removes what Open has put on disk. It may be called more than once.
func (m *Module) Close() error {
	if m.pulled == "" {
		return nil
	}
	return os.RemoveAll(m.pulled)
}

func open(ctx context.Context, r ref.Reference, o Options) (*Module, error) {
	switch {
	case !r.IsLocal():
		return pull(ctx, r, o, oci.Pull)
	case isArchive(r.Dir):
		return unpack(ctx, r, o)
	}
	return openDir(r)
}

// isArchive says whether a local reference names an image layout, and no
// directory of a module.
func isArchive(name string) bool {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return false
	case !info.IsDir():
		return ref.Reference{Dir: name}.IsArchive()
	}
	_, err = os.Stat(filepath.Join(name, "cue.mod"))
	return errors.Is(err, fs.ErrNotExist) && archive.IsArchive(name)
}

func unpack(ctx context.Context, r ref.Reference, o Options) (*Module, error) {
	dir, err := tempDir(o)
	if err != nil {
		return nil, err
	}
	manifest, err := archive.Unpack(ctx, r.Dir, dir, o.OCI.Limits)
	version := manifest.Annotations[archive.AnnotationVersion]
	if err == nil {
		err = r.CheckContent(version, manifest.Digest)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Module{
		Dir: dir, Repository: r.Source(), Digest: manifest.Digest, Annotations: manifest.Annotations,
		Version: cmp.Or(version, ref.DevelVersion),
		Within:  dir, pulled: dir,
	}, nil
}

func tempDir(o Options) (string, error) {
	dir, err := os.MkdirTemp(o.TempDir, "timoni-module-")
	if err != nil {
		return "", &TempDirError{err}
	}
	return dir, nil
}

func openDir(r ref.Reference) (*Module, error) {
	info, err := os.Stat(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &LocalError{Reference: r.String(), Address: addressIn(r), Err: fmt.Errorf("module %q: %w", r, fs.ErrNotExist)}
	case err != nil:
		return nil, fmt.Errorf("module %q: %w", r, err)
	case !info.IsDir():
		return nil, &LocalError{Reference: r.String(), Err: fmt.Errorf("module %q %w", r, ErrNoDirectory)}
	}
	return &Module{Dir: r.Dir, Repository: r.Source(), Version: ref.DevelVersion, Digest: ref.UnknownDigest}, nil
}

// imageRE matches what looks like an address in a registry: a host with a dot
// or a port, or localhost, and a path.
var imageRE = regexp.MustCompile(`^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+)/[a-z0-9]`)

// addressIn returns what of a reference to a directory may be the address of a
// registry, empty when it is none.
func addressIn(r ref.Reference) string {
	if !imageRE.MatchString(r.Dir) || strings.HasPrefix(r.String(), "file://") {
		return ""
	}
	return r.Dir
}

// LocalError says that a reference does not name a directory.
type LocalError struct {
	Reference string
	Address   string // what may be meant for an address in a registry
	Err       error  // fs.ErrNotExist or ErrNoDirectory
}

func (e *LocalError) Error() string { return e.Err.Error() }

// Unwrap returns the condition.
func (e *LocalError) Unwrap() error { return e.Err }

// TempDirError says that there is no directory for what is pulled.
type TempDirError struct{ Err error }

func (e *TempDirError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the system.
func (e *TempDirError) Unwrap() error { return e.Err }

func pull(ctx context.Context, r ref.Reference, o Options, fetch func(context.Context, ref.Reference, string, oci.Options) (archive.Manifest, error)) (*Module, error) {
	dir, err := tempDir(o)
	if err != nil {
		return nil, err
	}
	manifest, err := fetch(ctx, r, dir, o.OCI)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	tag := r.Tag
	if tag == "" && r.Digest == "" {
		tag = ref.Latest
	}
	return &Module{
		Dir: dir, Repository: r.Source(), Digest: manifest.Digest, Annotations: manifest.Annotations,
		Version: cmp.Or(manifest.Annotations[archive.AnnotationVersion], tag),
		pulled:  dir,
	}, nil
}
