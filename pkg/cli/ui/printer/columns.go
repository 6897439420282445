// SPDX-License-Identifier: Apache-2.0

package printer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/util/jsonpath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// columns prints the custom columns of kubectl get. kubectl's own printer of
// them lives in a package that links all of its commands.
type columns struct {
	titles    []string
	paths     []*jsonpath.JSONPath
	noHeaders bool
}

// customColumns returns the printer of -o custom-columns=TITLE:PATH,…
func (f *Flags) customColumns(format string) (printers.ResourcePrinter, error) {
	_, spec, _ := strings.Cut(format, "=")
	var titles, paths []string
	for pair := range strings.SplitSeq(spec, ",") {
		title, path, ok := strings.Cut(pair, ":")
		if !ok || title == "" || path == "" {
			return nil, fmt.Errorf("column %q of -o custom-columns is not TITLE:PATH, for example NAME:.metadata.name", pair)
		}
		titles, paths = append(titles, title), append(paths, path)
	}
	return f.columns(titles, paths)
}

// customColumnsFile returns the printer of -o custom-columns-file=FILE. The
// file has the titles in its first line and the paths in its second.
func (f *Flags) customColumnsFile(format string) (printers.ResourcePrinter, error) {
	_, file, _ := strings.Cut(format, "=")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the custom columns: %w", err)
	}
	first, second, _ := strings.Cut(string(text), "\n")
	titles, paths := strings.Fields(first), strings.Fields(second)
	if len(titles) == 0 || len(titles) != len(paths) {
		return nil, fmt.Errorf("%s: %d titles in the first line, %d paths in the second", file, len(titles), len(paths))
	}
	return f.columns(titles, paths)
}

func (f *Flags) columns(titles, paths []string) (printers.ResourcePrinter, error) {
	c := &columns{titles: titles, noHeaders: f.noHeaders}
	for i, path := range paths {
		parser := jsonpath.New(titles[i]).AllowMissingKeys(true)
		if err := parser.Parse(inBraces(path)); err != nil {
			return nil, fmt.Errorf("column %s: path %q: %w", titles[i], path, err)
		}
		c.paths = append(c.paths, parser)
	}
	return c, nil
}

// inBraces returns a JSON path in the form that its parser wants. As in
// kubectl, the braces and the leading dot may be left out.
func inBraces(path string) string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "{"), "}")
	return "{." + strings.TrimPrefix(path, ".") + "}"
}

// PrintObj writes a line for an object, or for each of a list.
func (c *columns) PrintObj(obj runtime.Object, w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if !c.noHeaders {
		fmt.Fprintln(tw, strings.Join(c.titles, "\t"))
	}
	var err error
	switch o := obj.(type) {
	case *unstructured.UnstructuredList:
		for _, item := range o.Items {
			err = errors.Join(err, c.line(tw, item.Object))
		}
	case *unstructured.Unstructured:
		err = c.line(tw, o.Object)
	}
	return errors.Join(err, tw.Flush())
}

func (c *columns) line(w io.Writer, object map[string]any) error {
	cells := make([]string, len(c.paths))
	for i, path := range c.paths {
		results, err := path.FindResults(object)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.titles[i], err)
		}
		cells[i] = cell(results)
	}
	for i := range cells {
		cells[i] = mask.Line(cells[i])
	}
	_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
	return err
}

// cell joins the values that a path found, and says <none> where it found
// none, as kubectl does.
func cell(results [][]reflect.Value) string {
	var texts []string
	for _, values := range results {
		for _, v := range values {
			if v.IsValid() && v.CanInterface() && v.Interface() != nil {
				texts = append(texts, fmt.Sprint(v.Interface()))
			}
		}
	}
	if len(texts) == 0 {
		return "<none>"
	}
	return strings.Join(texts, ",")
}
