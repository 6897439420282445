// SPDX-License-Identifier: Apache-2.0

package release

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// most is how many bytes an archive may have: the whole set for one platform.
const most = 95e6

// Sizes prints the size of each archive in the directory dist, and fails when one
// is too large.
func Sizes(w io.Writer, dist string) error {
	r, err := ReadRecord(filepath.Join(dist, RecordFile))
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "PACKED MB")
	for _, p := range Packages() {
		fmt.Fprint(table, "\t", p.Name)
	}
	fmt.Fprintln(table)
	var problems []error
	for _, t := range Targets() {
		fmt.Fprint(table, t)
		for _, p := range Packages() {
			name := p.Archive(r.Version, t)
			if r.Archives[name] == "" {
				fmt.Fprint(table, "\t-")
				continue
			}
			info, err := os.Stat(filepath.Join(dist, name))
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "\t%.1f", float64(info.Size())/1e6)
			if info.Size() > most {
				problems = append(problems, fmt.Errorf("%s has %d bytes, at most %.0f", name, info.Size(), most))
			}
		}
		fmt.Fprintln(table)
	}
	return errors.Join(append(problems, table.Flush())...)
}
