// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Printf is fmt.Fprintf for a text that a terminal may show: what would control
// the terminal is escaped, wherever it comes from.
func Printf(w io.Writer, format string, args ...any) (int, error) {
	return io.WriteString(w, mask.Lines(fmt.Sprintf(format, args...)))
}

// Println is fmt.Fprintln as Printf is fmt.Fprintf.
func Println(w io.Writer, args ...any) (int, error) {
	return io.WriteString(w, mask.Lines(fmt.Sprintln(args...)))
}

// Print is Printf for a text without arguments.
func Print(w io.Writer, text string) error {
	_, err := io.WriteString(w, mask.Lines(text))
	return err
}

// Raw writes what a program or a file gets byte by byte, such as source code.
// On a terminal it is a text as any other.
func Raw(w io.Writer, data []byte) error {
	if IsTerminal(w) {
		return Print(w, string(data))
	}
	_, err := w.Write(data)
	return err
}

// WriteJSON writes a text in JSON, with escapes for what would control a
// terminal. Its value stays.
func WriteJSON(w io.Writer, text []byte) error {
	_, err := w.Write(mask.JSON(text))
	return err
}

// toYAML returns a value as YAML, with the field names of its JSON form, and with
// escapes for what would control a terminal. The library that writes it
// otherwise knows of a part of that only.
func toYAML(v any) ([]byte, error) {
	if out, err := yaml.Marshal(v); err == nil && mask.IsSafe(string(out)) {
		return out, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return api.ValueYAML(plain), nil
}
