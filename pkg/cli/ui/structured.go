// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Structured writes v as "json" or "yaml", with the field names of its JSON
// form. Any other format is a usage error that lists the ones there are.
func Structured(w io.Writer, format string, v any) error {
	var out []byte
	var err error
	switch format {
	case "json":
		out, err = json.MarshalIndent(v, "", "  ")
		out = append(mask.JSON(out), '\n')
	case "yaml":
		out, err = toYAML(v)
	default:
		err = fail.OneOf("output format", format, "json", "yaml")
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// Table writes rows under a header, which may be nil, in columns, as kubectl
// does. Without a row it writes nothing.
func Table(w io.Writer, header []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if header != nil {
		rows = append([][]string{header}, rows...)
	}
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(tw, "\t")
			}
			fmt.Fprint(tw, mask.Line(cell))
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

// Rows writes a list: as a table, or v as Structured does when a format is
// given.
func Rows(w io.Writer, format string, v any, header []string, rows [][]string) error {
	if format != "" {
		return Structured(w, format, v)
	}
	return Table(w, header, rows)
}
