// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
)

// describer is the binary that knows what a module's values may be. The others
// do not link what it takes.
const describer = "kubectl-timoni-mod"

// completeIn has the flags completed that depend on the module, which is the
// last operand.
func (m *Module) completeIn(fs *pflag.FlagSet) {
	complete.Flag(fs, "version", m.Registry.Versions)
	for _, name := range []string{"set", "set-string", "set-json", "set-file"} {
		complete.Flag(fs, name, m.paths)
	}
}

// Child returns command line flags for a child process that say the same of a
// module in a directory.
func (m *Module) Child() []string {
	args := []string{"--package=" + m.pkg}
	for _, file := range m.Values.files {
		args = append(args, "--values="+file)
	}
	if m.Values.private {
		args = append(args, "--allow-private-address")
	}
	for _, s := range m.Values.set {
		args = append(args, s.flag+"="+s.arg)
	}
	if m.cueRegistry.allowed {
		args = append(args, "--allow-cue-registry")
	}
	return args
}

// paths completes PATH=VALUE: the paths of the module's values, and after the
// equals sign the values of one that has few.
func (m *Module) paths(ctx context.Context, args []string, typed string) []string {
	if len(args) == 0 || m.Registry.Process == nil || m.Registry.ReadsStdin() {
		return nil
	}
	path, err := m.Registry.Process.Places().Find(describer)
	if err != nil {
		return nil
	}
	flags, environ := m.Registry.Child()
	flags = append(flags, "--output=json-schema", "--package="+m.pkg)
	if m.Selection.version != "" {
		flags = append(flags, "--version="+m.Selection.version)
	}
	if m.Selection.digest != "" {
		flags = append(flags, "--digest="+m.Selection.digest)
	}
	cmd := exec.CommandContext(ctx, path, slices.Concat([]string{"show", "config"}, flags, []string{"--", args[len(args)-1]})...)
	cmd.Env = append(cmd.Environ(), environ...)
	text, err := cmd.Output()
	var schema valueSchema
	if err != nil || json.Unmarshal(text, &schema) != nil {
		return nil
	}
	_, _, isValue := strings.Cut(typed, "=")
	return schema.settings("", isValue)
}

// valueSchema is what completion reads of a JSON Schema.
type valueSchema struct {
	Properties  map[string]valueSchema `json:"properties"`
	Description string                 `json:"description"`
	Type        any                    `json:"type"`
	Enum        []any                  `json:"enum"`
	Const       any                    `json:"const"`
	AnyOf       []valueSchema          `json:"anyOf"`
}

// nameRE matches the names that a path holds without quotes.
var nameRE = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// settings returns the paths of the values below one, with "=", or with each of
// their values.
func (s valueSchema) settings(path string, withValue bool) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		below := s.Properties[name]
		switch {
		case !nameRE.MatchString(name):
		case len(below.Properties) > 0:
			lines = append(lines, below.settings(path+name+".", withValue)...)
		case withValue:
			for _, value := range below.values() {
				lines = append(lines, path+name+"="+value)
			}
		default:
			lines = append(lines, path+name+"=\t"+below.Description)
		}
	}
	return lines
}

// values returns the values that a schema allows where they are few.
func (s valueSchema) values() []string {
	if s.Type == "boolean" {
		return []string{"false", "true"}
	}
	var words []string
	for _, value := range s.Enum {
		words = append(words, fmt.Sprint(value))
	}
	if s.Const != nil {
		words = append(words, fmt.Sprint(s.Const))
	}
	for _, alternative := range s.AnyOf {
		words = append(words, alternative.values()...)
	}
	return words
}
