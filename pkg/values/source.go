// SPDX-License-Identifier: Apache-2.0

// Package values merges the values that a user gives, in CUE, YAML or JSON,
// over the values.cue of a module. It works on syntax trees: what values.cue
// says at a path that the user sets is taken out, and what the user wrote is
// put beside it. So every node keeps the position of the file it was written
// in, and a reference inside values.cue follows an overridden value.
package values

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
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
const flagPrefix = "--set"

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
}

// ReadFiles reads the files of a command line in their order. "-" is stdin and
// may be given once. The extension says the format; that of stdin is detected.
func ReadFiles(paths []string, stdin io.Reader) ([]Source, error) {
	if err := checkPaths(paths); err != nil {
		return nil, err
	}
	sources := make([]Source, 0, len(paths))
	for _, path := range paths {
		src, err := readFile(path, stdin)
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
		} else if formatOf(path) == Detect {
			return fail.Usagef("values file %q: the extension is none of .cue, .yaml, .yml and .json", path)
		}
	}
	if stdins > 1 {
		return fail.Usagef("values can be read from the standard input (-) only once")
	}
	return nil
}

func readFile(path string, stdin io.Reader) (Source, error) {
	if path == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return Source{}, fmt.Errorf("read values from the standard input: %w", err)
		}
		return Source{Name: StdinName, Data: data}, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		// The operating system's error repeats the path, and on some systems
		// in another form than the user typed.
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		return Source{}, fmt.Errorf("values file %q: %w", path, err)
	}
	return Source{Name: path, Format: formatOf(path), Data: data, Dir: filepath.Dir(path)}, nil
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
