// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// The lines of a README between which the table of values stands.
const (
	configBegin = "<!-- timoni:config:begin -->\n"
	configEnd   = "<!-- timoni:config:end -->\n"
)

// Readme returns the README of a module.
func Readme(ctx context.Context, module ref.Reference, options oci.Options) (text []byte, err error) {
	m, err := source.Open(ctx, module, source.Options{OCI: options})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	text, err = os.ReadFile(filepath.Join(m.Dir, readmeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("module %s has no %s", module, readmeFile)
	}
	return text, err
}

// WriteReadme writes the table of values into the README of a local module: in
// place of what stands between the two marks or, where there are none, at the
// end, with marks. It says whether that changed the file.
func WriteReadme(module ref.Reference, config *Config) (changed bool, err error) {
	if !module.IsLocal() {
		return false, fail.Usagef("module %s is not a directory: its README cannot be written", module)
	}
	name := filepath.Join(module.Dir, readmeFile)
	before, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	after, err := withTable(before, config.Markdown())
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if bytes.Equal(before, after) {
		return false, nil
	}
	return true, link.WriteFile(module.Dir, readmeFile, after, 0o644)
}

func withTable(readme, table []byte) ([]byte, error) {
	section := "\n" + string(table) + "\n"
	head, rest, hasBegin := bytes.Cut(readme, []byte(configBegin))
	if !hasBegin {
		if len(readme) > 0 {
			readme = append(bytes.TrimRight(readme, "\n"), "\n\n"...)
		}
		return append(readme, "## Configuration\n\n"+configBegin+section+configEnd...), nil
	}
	_, tail, hasEnd := bytes.Cut(rest, []byte(configEnd))
	if !hasEnd {
		return nil, fmt.Errorf("a line %q has no line %q after it", configBegin[:len(configBegin)-1], configEnd[:len(configEnd)-1])
	}
	return slices.Concat(head, []byte(configBegin+section+configEnd), tail), nil
}
