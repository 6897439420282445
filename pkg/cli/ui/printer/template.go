// SPDX-License-Identifier: Apache-2.0

package printer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
)

// InProcess prints Go templates with kubectl's printer.
func InProcess(format, template string, allowMissing bool) (printers.ResourcePrinter, error) {
	return (&genericclioptions.GoTemplatePrintFlags{TemplateArgument: &template, AllowMissingKeys: &allowMissing}).ToPrinter(format)
}

// SiblingVerb is the verb of siblingBinary that prints the JSON on its standard
// input with the flags of AddTo.
const (
	siblingBinary = "kubectl-timoni-apply"
	SiblingVerb   = "print-template"
)

// InSibling prints Go templates in siblingBinary, which find finds. Linked
// here, they would cost 10 MB: a template may call any method, so that the
// linker keeps all.
func InSibling(find func(name string) (string, error)) GoTemplate {
	return func(format, template string, allowMissing bool) (printers.ResourcePrinter, error) {
		path, err := find(siblingBinary)
		if err != nil {
			return nil, fmt.Errorf("print as go-template: %w", err)
		}
		s := sibling{path: path, args: []string{"-o", format, fmt.Sprintf("--allow-missing-template-keys=%v", allowMissing)}}
		if template != "" {
			s.args = append(s.args, "--template", template)
		}
		// With nothing to print it says what is wrong with the template.
		return s, s.run(nil, io.Discard)
	}
}

type sibling struct {
	path string
	args []string
}

// PrintObj prints an object with the template.
func (s sibling) PrintObj(o runtime.Object, w io.Writer) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return s.run(text, w)
}

func (s sibling) run(stdin []byte, w io.Writer) error {
	var stderr strings.Builder
	cmd := exec.CommandContext(context.Background(), s.path, s.args...)
	cmd.Args[0] = "kubectl timoni " + SiblingVerb
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), w, &stderr
	err := cmd.Run()
	if text := strings.TrimSpace(strings.TrimPrefix(stderr.String(), "error: ")); err != nil && text != "" {
		return errors.New(text)
	}
	return err
}

// PrintJSON prints what PrintObj of a sibling has sent; nothing only checks
// the flags.
func (f *Flags) PrintJSON(stdin io.Reader, w io.Writer) error {
	if err := f.Check(); err != nil {
		return err
	}
	text, err := io.ReadAll(stdin)
	if err != nil || len(text) == 0 {
		return err
	}
	return f.Print(w, json.RawMessage(text))
}
