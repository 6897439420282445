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
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
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

// WriteReadme writes the table of values into a file, the README of a local
// module when it is empty: in place of what stands between the two marks, of the
// first table below a heading Configuration or, where there is neither, at the
// end, with marks. It says whether that changed the file.
func WriteReadme(module ref.Reference, name string, config *Config) (changed bool, err error) {
	if name == "" && !module.IsLocal() {
		return false, fail.Usagef("module %s is not a directory: its README cannot be written", module)
	}
	if name == "" {
		name = filepath.Join(module.Dir, readmeFile)
	}
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
	return true, link.WriteFile(filepath.Dir(name), filepath.Base(name), after, 0o644)
}

func withTable(readme, table []byte) ([]byte, error) {
	section := "\n" + string(table) + "\n"
	head, rest, hasBegin := bytes.Cut(readme, []byte(configBegin))
	if !hasBegin {
		if before, after, ok := cutTable(readme); ok {
			return slices.Concat(before, []byte(configBegin+section+configEnd), after), nil
		}
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

// cutTable returns what is before and after the first table below a heading
// Configuration.
func cutTable(readme []byte) (head, tail []byte, found bool) {
	lines, at, inSection, begin := bytes.SplitAfter(readme, []byte("\n")), 0, false, -1
	for _, line := range lines {
		isRow := bytes.HasPrefix(line, []byte("|"))
		switch {
		case bytes.HasPrefix(line, []byte("#")):
			inSection = strings.EqualFold(string(bytes.Trim(line, "# \n")), "configuration")
		case inSection && isRow && begin < 0:
			begin = at
		}
		if begin >= 0 && !isRow {
			return readme[:begin], readme[at:], true
		}
		at += len(line)
	}
	if begin < 0 {
		return nil, nil, false
	}
	return readme[:begin], nil, true
}
