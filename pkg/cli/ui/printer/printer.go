// SPDX-License-Identifier: Apache-2.0

// Package printer writes what a command found out in the output formats of
// kubectl, with kubectl's own printers: json, yaml, name, jsonpath,
// go-template and custom-columns. It is apart from package ui, because only
// binaries that link client-go may link it.
package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Flags are kubectl's flags for the output of a command: -o, --template and
// so on.
type Flags struct {
	output       string
	template     string
	allowMissing bool
	noHeaders    bool
	own          []string // formats of the command in addition to those of every one
	goTemplate   GoTemplate
}

// GoTemplate returns a printer for -o go-template or go-template-file.
type GoTemplate func(format, template string, allowMissing bool) (printers.ResourcePrinter, error)

// New returns flags for a command. In addition to the formats for programs it takes
// others: "name", for results that have names, and what the command writes
// itself, as "wide". Go templates are handed in, because a binary that links
// them loses what the linker would leave out: use InProcess where that is so
// anyway and InSibling elsewhere.
func New(templates GoTemplate, others ...string) *Flags {
	return &Flags{own: others, goTemplate: templates}
}

// AddTo registers the flags.
func (f *Flags) AddTo(fs *pflag.FlagSet) {
	fs.StringVarP(&f.output, "output", "o", "", "output `FORMAT`: "+strings.Join(f.formats(), ", "))
	complete.Flag(fs, "output", complete.Words(f.formats()...))
	fs.StringVar(&f.template, "template", "", "template, or the path of its file, of -o go-template, jsonpath and their -file forms")
	fs.BoolVar(&f.allowMissing, "allow-missing-template-keys", true, "print nothing for a field of a template that is missing; false makes it an error")
	fs.BoolVar(&f.noHeaders, "no-headers", false, "print no line of headers above a table")
}

func (f *Flags) formats() []string {
	return append(append([]string{"json", "yaml", "kyaml"}, f.own...),
		"jsonpath", "jsonpath-as-json", "jsonpath-file", "go-template", "go-template-file", "custom-columns", "custom-columns-file")
}

// Format returns which of its own formats a command is to write, "" for the
// one of a person who gave none; ok is false when Print is to write.
func (f *Flags) Format() (format string, ok bool) {
	if f.output == "" {
		return "", f.template == ""
	}
	return f.output, f.output != "name" && slices.Contains(f.own, f.output)
}

// Header returns the headers of a table, nil if they are not wanted.
func (f *Flags) Header(titles ...string) []string {
	if f.noHeaders {
		return nil
	}
	return titles
}

// Check returns a usage error for a format that there is not, or a template
// that is wrong: before a command has done anything.
func (f *Flags) Check() error {
	if _, ok := f.Format(); ok {
		return nil
	}
	_, err := f.printer()
	return err
}

// Print writes a result: a struct whose JSON form has apiVersion and kind, or a
// slice of such, which becomes a List as kubectl has it.
func (f *Flags) Print(w io.Writer, result any) error {
	p, err := f.printer()
	if err != nil {
		return err
	}
	o, err := toObject(result)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = p.PrintObj(o, &out)
	if f.output == "yaml" && (err != nil || !mask.IsSafe(out.String())) || f.output == "kyaml" && err != nil {
		_, err = w.Write(api.ValueYAML(content(o)))
		return err
	}
	if err != nil {
		return fail.With(fail.Usage, fmt.Errorf("print as %s: %w", f.output, err))
	}
	return f.write(w, out.Bytes())
}

// write writes what kubectl's printer has printed, with escapes
// for what would control a terminal: those of the format, so that a program
// reads the same values. What a template makes is a program's own unless a
// person looks at it.
func (f *Flags) write(w io.Writer, text []byte) error {
	switch name, _, _ := strings.Cut(f.output, "="); name {
	case "json", "jsonpath-as-json":
		return ui.WriteJSON(w, text)
	case "name", "yaml", "kyaml", "custom-columns", "custom-columns-file":
		return ui.Print(w, string(text))
	}
	return ui.Raw(w, text)
}

// content returns an object as the plain value that it is.
func content(o runtime.Object) any {
	switch o := o.(type) {
	case *unstructured.Unstructured:
		return o.Object
	case *unstructured.UnstructuredList:
		return o.UnstructuredContent()
	}
	return nil
}

func (f *Flags) printer() (printers.ResourcePrinter, error) {
	p, err := f.find()
	if err != nil || p != nil {
		return p, fail.With(fail.Usage, err)
	}
	known := f.formats()
	unknown := fail.Usagef("output format %q is not one of %s", f.output, strings.Join(known, ", "))
	name, _, _ := strings.Cut(f.output, "=")
	if near, ok := fail.Nearest(name, known); ok {
		return nil, fail.Hint(unknown, "did you mean -o %s?", near)
	}
	return nil, unknown
}

// find returns the printer of the format, nil when there is no such format.
func (f *Flags) find() (printers.ResourcePrinter, error) {
	format := f.output
	if format == "" {
		format = "go-template" // --template alone
	}
	name, _, _ := strings.Cut(format, "=")
	switch name {
	case "json", "yaml", "kyaml":
		return (&genericclioptions.JSONYamlPrintFlags{}).ToPrinter(format)
	case "name":
		if !slices.Contains(f.own, "name") {
			return nil, nil
		}
		return (&genericclioptions.NamePrintFlags{}).ToPrinter(format)
	case "jsonpath", "jsonpath-as-json", "jsonpath-file":
		return genericclioptions.NewJSONPathPrintFlags(f.template, f.allowMissing).ToPrinter(format)
	case "go-template", "go-template-file":
		return f.goTemplate(format, f.template, f.allowMissing)
	case "custom-columns":
		return f.customColumns(format)
	case "custom-columns-file":
		return f.customColumnsFile(format)
	}
	return nil, nil
}

// toObject returns a result in the form in which kubectl's printers take it.
func toObject(result any) (runtime.Object, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var v any
	if err := utiljson.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case map[string]any:
		return &unstructured.Unstructured{Object: v}, nil
	case []any, nil:
		list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}}}
		items, _ := v.([]any)
		list.Items = make([]unstructured.Unstructured, len(items))
		for i, item := range items {
			list.Items[i].Object, _ = item.(map[string]any)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a %T is no result", result)
}
