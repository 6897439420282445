// SPDX-License-Identifier: Apache-2.0

// Package values merges the values that a user gives, in CUE, YAML or JSON,
// over the values.cue of a module. It works on syntax trees: what values.cue
// says at a path that the user sets is taken out, and what the user wrote is
// put next to it. So every node keeps the position of the file it was written
// in, and a reference inside values.cue follows an overridden value.
package values

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Format is the language that a source is written in.
type Format string

// The formats. Detect is for what has no file name: the content decides.
const (
	Detect Format = ""
	CUE    Format = "cue"
	YAML   Format = "yaml"
	JSON   Format = "json"
)

// StdinName stands for the standard input in error messages.
const StdinName = "<stdin>"

// flagPrefix begins the names of sources that are flags. They have no lines.
const flagPrefix = "--"

// Source is one set of values: a file, the standard input, or data that came
// from elsewhere.
type Source struct {
	// Name stands before line and column in errors: the file as the user typed
	// it, or StdinName.
	Name   string
	Format Format
	Data   []byte
	// Dir is the directory that @embed in a CUE source reads from. When it is
	// empty, @embed is refused.
	Dir string
	// Expr, when it is set, is the struct of values itself; Format and Data are
	// not used then.
	Expr ast.Expr
	// Stored says that a cache may keep what is made of the content: it stands on a
	// disk, or was typed on the command line. False is right of anything else.
	Stored bool
	// Secret says that nothing of the content may be shown, not even in an error.
	Secret bool
	// Hidden are the secrets of a source of which only some values are; nil when
	// all of them are.
	Hidden []string
	// Reference, when it is set, is where the content is to be read from.
	Reference *Reference
}

// Inputs are where values are read from, other than the disk.
type Inputs struct {
	Stdin    io.Reader
	Download download.Options // of URLs
	// Decrypt decrypts what SOPS encrypted, nil to refuse it.
	Decrypt sops.Decrypter
}

// ReadFiles reads the files of a command line in their order. "-" is stdin and
// may be given once; a URL is downloaded. The extension says the format; where
// there is none that is known, the content does.
func ReadFiles(ctx context.Context, paths []string, in Inputs) ([]Source, error) {
	if err := checkPaths(paths); err != nil {
		return nil, err
	}
	sources := make([]Source, 0, len(paths))
	for _, path := range paths {
		src, err := in.read(ctx, path)
		if err == nil {
			src, err = src.Decrypted(ctx, in.Decrypt)
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	return sources, nil
}

// checkPaths finds what is wrong with the paths without reading any.
func checkPaths(paths []string) error {
	stdins := 0
	for _, path := range paths {
		if path == "-" {
			stdins++
		}
	}
	if stdins > 1 {
		return fail.Invalidf("values can be read from the standard input (-) only once")
	}
	return nil
}

func (in Inputs) read(ctx context.Context, path string) (Source, error) {
	if path == "-" {
		data, err := input.All(ctx, in.Stdin)
		if err != nil {
			return Source{}, fmt.Errorf("read values from the standard input: %w", err)
		}
		return Source{Name: StdinName, Data: data}, nil
	}
	if download.IsURL(path) {
		return in.get(ctx, path)
	}
	return readFile(ctx, path)
}

// Decrypted returns a source as it is before SOPS encrypts it; one that SOPS did
// not encrypt stays as it is. Nothing of what was encrypted may be shown.
func (s Source) Decrypted(ctx context.Context, decrypt sops.Decrypter) (Source, error) {
	if !sops.IsEncrypted(s.Data) {
		return s, nil
	}
	if decrypt == nil {
		return s, s.refuseEncrypted()
	}
	plain, err := decrypt(ctx, s.Name, s.Data)
	if err != nil {
		return s, fmt.Errorf("values file %q: %w", mask.Argument(s.Name), err)
	}
	s.Data, s.Secret, s.Hidden = plain.Data, true, plain.Secrets
	return s, nil
}

func (s Source) refuseEncrypted() error {
	return fmt.Errorf("values from %q: %w", mask.Argument(s.Name), sops.ErrEncrypted)
}

// get downloads a source. It has no directory, so that it cannot embed files.
func (in Inputs) get(ctx context.Context, address string) (Source, error) {
	data, err := download.Get(ctx, address, in.Download)
	if err != nil {
		return Source{}, fmt.Errorf("values from %w", err)
	}
	format := Detect
	if u, err := url.Parse(address); err == nil {
		format = formatOf(u.Path)
	}
	return Source{Name: mask.URL(address), Format: format, Data: data}, nil
}

// ReadFile reads a file, whose extension says the format.
func ReadFile(ctx context.Context, path string) (Source, error) {
	if formatOf(path) == Detect {
		return Source{}, fail.Invalidf("values file %q: unknown extension: want .cue, .yaml, .yml or .json", mask.Argument(path))
	}
	return readFile(ctx, path)
}

func readFile(ctx context.Context, path string) (Source, error) {
	in, err := input.Read(ctx, path)
	if err != nil {
		return Source{}, fmt.Errorf("values file %q: %w", mask.Argument(path), err)
	}
	return Source{Name: path, Format: formatOf(path), Data: in.Data, Dir: filepath.Dir(path), Stored: in.Stored}, nil
}

func formatOf(path string) Format {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".cue":
		return CUE
	case ".yaml", ".yml":
		return YAML
	case ".json":
		return JSON
	}
	return Detect
}
