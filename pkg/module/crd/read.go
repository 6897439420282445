// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
)

// maxInput is how much is read from one place.
const maxInput = 128 << 20

// Files names what CustomResourceDefinitions or OpenAPI documents are read from.
type Files struct {
	// Names are files, directories, https URLs, or - for Stdin. Of a directory
	// the files *.yaml, *.yml and *.json are read, as kubectl does.
	Names    []string
	Stdin    io.Reader
	Download download.Options
}

// Read reads what the names stand for. That there is no
// CustomResourceDefinition is no error here.
func Read(ctx context.Context, f Files) ([]Definition, error) {
	var all []Definition
	err := f.each(ctx, func(data []byte) error {
		found, err := Parse(data)
		all = append(all, found...)
		return err
	})
	return all, err
}

// ReadOpenAPI reads OpenAPI documents, v2 or v3, such as 'kubectl get --raw
// /openapi/v2' prints.
func ReadOpenAPI(ctx context.Context, f Files) (*OpenAPI, error) {
	all := documents{}
	if err := f.each(ctx, all.add); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no OpenAPI document", strings.Join(f.Names, ", "))
	}
	openAPI, err := all.openAPI()
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(f.Names, ", "), err)
	}
	return openAPI, err
}

// each calls add with what is read.
func (f Files) each(ctx context.Context, add func(data []byte) error) error {
	names, err := expand(f.Names)
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := f.read(ctx, name)
		if err != nil {
			return err
		}
		if err = add(data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// expand replaces directories by the files in them.
func expand(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if name == "-" || download.IsURL(name) {
			all = append(all, name)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, reason(err))
		}
		if !info.IsDir() {
			all = append(all, name)
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, reason(err))
		}
		for _, entry := range entries {
			extension := strings.ToLower(filepath.Ext(entry.Name()))
			if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, extension) {
				all = append(all, filepath.Join(name, entry.Name()))
			}
		}
	}
	return all, nil
}

// reason returns the text of an error about a file without the name of the file.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func (f Files) read(ctx context.Context, name string) ([]byte, error) {
	switch {
	case name == "-":
		data, err := input.Await(ctx, func() ([]byte, error) { return readAll(f.Stdin) })
		if err != nil {
			err = fmt.Errorf("the standard input: %w", err)
		}
		return data, err
	case download.IsURL(name):
		return download.Get(ctx, name, f.Download)
	}
	data, err := input.Await(ctx, func() ([]byte, error) { return readFile(name) })
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return data, err
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	return readAll(file)
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("more than %d bytes", maxInput)
	}
	return data, nil
}
