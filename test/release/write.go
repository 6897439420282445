// SPDX-License-Identifier: Apache-2.0

package release

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write writes next to the archives of r in dist what leads to them: the record,
// the checksums, the formula, and the index of krew. What other versions left
// there is removed.
func (r Record) Write(ctx context.Context, dist string, all []string) error {
	names, err := r.clean(dist)
	if err != nil {
		return err
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	checks, err := sums(dist, names)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{RecordFile: text, "SHA256SUMS": checks, filepath.Base(FormulaFile): Formula(r)} {
		if err = os.WriteFile(filepath.Join(dist, name), data, 0o644); err != nil {
			return err
		}
	}
	index := filepath.Join(dist, "index")
	if err = os.RemoveAll(index); err != nil {
		return err
	}
	return Index(ctx, index, r, all)
}

// clean returns the names of the archives of r in dist and of their bills of
// materials, sorted, and removes others.
func (r Record) clean(dist string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dist, "*.tar.gz*"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, path := range found {
		name := filepath.Base(path)
		if _, ok := r.Archives[strings.TrimSuffix(name, ".cdx.json")]; ok {
			names = append(names, name)
			continue
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return names, nil
}
