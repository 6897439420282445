// SPDX-License-Identifier: Apache-2.0

// Command size checks the built binaries against the table of docs/design.md
// section 2: their size, what they link and the CPU time of their start. It
// prints the table and fails when a binary is above its budget or links what
// it must not.
//
// Usage:
//
//	size [-bin DIR] [-root DIR]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

// noise is how far above its budget the CPU time of a start may be before the
// check fails, beyond what this machine is slower: what the check must catch, a
// library that does its work in init, costs far more than that.
const noise = 3

func main() {
	bin := flag.String("bin", "bin", "directory of the built binaries")
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	if err := run(os.Stdout, *bin, *root); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, bin, root string) error {
	slower, err := slowness(root)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BINARY\tSIZE MB\tBUDGET\tSTART MS\tBUDGET\tLINKS")
	var problems []error
	for _, b := range binaries() {
		if !exists(filepath.Join(root, filepath.FromSlash(b.source), "main.go")) {
			fmt.Fprintf(table, "%s\tnot built yet\t%.0f\t\t%s\t\n", b.name, b.size, millis(b.startup))
			continue
		}
		m, failed := measure(filepath.Join(bin, b.name+controlplane.Exe()))
		if failed != nil {
			problems = append(problems, fmt.Errorf("%s: %w", b.name, failed))
			fmt.Fprintf(table, "%s\tnot measured\t%.0f\t\t%s\t\n", b.name, b.size, millis(b.startup))
			continue
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.0f\t%s\t%s\t%s\n",
			b.name, m.megabytes, b.size, millis(m.startup), millis(b.startup), names(m.links))
		problems = append(problems, b.judge(m, slower)...)
	}
	if err = table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "This machine starts a program that does nothing %.1f times slower than that of the budgets.\n", slower)
	return errors.Join(append(problems, packed(w, root))...)
}

// packed prints how large the archives are that were packed last.
func packed(w io.Writer, root string) error {
	err := release.Sizes(w, filepath.Join(root, "dist"))
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(w, "Nothing is packed: 'make dist' does it for every platform.")
		return nil
	}
	return err
}

// judge returns what is wrong with the binary that was measured on a machine
// that is so many times slower than that of the budgets.
func (b binary) judge(m measurement, slower float64) []error {
	var problems []error
	if m.megabytes > b.size {
		problems = append(problems, fmt.Errorf("%s: %.1f MB, at most %.0f", b.name, m.megabytes, b.size))
	}
	if limit := time.Duration(noise * slower * float64(b.startup)); m.startup > limit {
		problems = append(problems, fmt.Errorf("%s: --help takes %s ms of CPU time, expected at most %s here", b.name, millis(m.startup), millis(limit)))
	}
	for lib, symbol := range m.links {
		if !slices.Contains(b.may, lib) {
			problems = append(problems, fmt.Errorf("%s: must not link %s, holds %s", b.name, lib, symbol))
		}
	}
	return problems
}

func names(links map[library]string) string {
	var found []string
	for _, lib := range libraries() {
		if links[lib] != "" {
			found = append(found, string(lib))
		}
	}
	return strings.Join(found, ", ")
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
