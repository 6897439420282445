// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"

	"cuelang.org/go/cue"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// The sections of a test other than values*.{cue,yaml,yml,json}.
const (
	wantSection    = "want.yaml"    // parts of objects that have to be rendered
	objectsSection = "objects.yaml" // all that has to be rendered, byte for byte
	absentSection  = "absent"       // KIND/NAME of what must not be rendered, one on a line
	errorSection   = "error"        // what the error has to say, one part on a line
)

// testCase is a test of a module: a txtar archive under tests, or a case of a
// file in CUE there.
type testCase struct {
	file    string // as a user would write it
	archive *txtar.Archive
	cue     *cueTests // in place of the archive
	title   string    // of the case in CUE

	name, namespace, pkg       string
	kubeVersion, moduleVersion string
	debug                      bool

	values []values.Source
	want   []wanted
	absent []string
	errors []string // parts of the error that is expected

	expectsError, exact bool
	objects             string // that are expected, if exact
}

// wanted is a part of an object, and how the test says it.
type wanted struct {
	object api.Object
	text   string    // in YAML
	value  cue.Value // in CUE
}

// namelessRE matches the line over which txtar.Parse panics.
var namelessRE = regexp.MustCompile(`(?m)^-- *--[ \t\r]*$`)

// parseCase reads a test. In errors, and in those of its values, the lines are
// those of the file.
func parseCase(file string, data []byte) (*testCase, error) {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if at := namelessRE.FindIndex(data); at != nil {
		return nil, fmt.Errorf("%s:%d: a section has no name", file, 1+bytes.Count(data[:at[0]], []byte("\n")))
	}
	c := &testCase{
		file: file, archive: txtar.Parse(data),
		name: "app", namespace: "default",
	}
	line := 0
	for text := range strings.Lines(string(c.archive.Comment)) {
		line++
		if err := c.setting(strings.TrimSpace(text)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
	for _, section := range c.archive.Files {
		line++ // of its name
		if err := c.section(section, line); err != nil {
			return nil, err
		}
		line += bytes.Count(section.Data, []byte("\n"))
	}
	return c, nil
}

// setting reads a line before the first section: a comment or KEY: VALUE.
func (c *testCase) setting(line string) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "name":
		c.name = value
	case "namespace":
		c.namespace = value
	case "package":
		c.pkg = value
	case "kube-version":
		c.kubeVersion = value
	case "module-version":
		c.moduleVersion = value
	case "values":
		if value != "default" && value != "debug" {
			return fmt.Errorf("values %q are neither default nor debug", value)
		}
		c.debug = value == "debug"
	default:
		return fmt.Errorf("%q is neither a comment, with # before it, nor one of name, namespace, package, kube-version, module-version and values", line)
	}
	return nil
}

func (c *testCase) section(section txtar.File, line int) error {
	switch section.Name {
	case wantSection:
		return c.wants(section, line)
	case objectsSection:
		c.exact, c.objects = true, string(section.Data)
		return nil
	case absentSection:
		c.absent = append(c.absent, lines(section.Data)...)
		return nil
	case errorSection:
		c.expectsError, c.errors = true, append(c.errors, lines(section.Data)...)
		return nil
	}
	formats := map[string]values.Format{".cue": values.CUE, ".yaml": values.YAML, ".yml": values.YAML, ".json": values.JSON}
	format, ok := formats[path.Ext(section.Name)]
	if !ok || !strings.HasPrefix(section.Name, "values") {
		return fmt.Errorf("%s:%d: unknown section %q: want values*.cue, values*.yaml, values*.json, %s, %s, %s and %s",
			c.file, line, section.Name, wantSection, objectsSection, absentSection, errorSection)
	}
	c.values = append(c.values, values.Source{
		Name: c.file, Format: format,
		// With as many empty lines first, the places are those of the file.
		Data: append(bytes.Repeat([]byte("\n"), line), section.Data...),
	})
	return nil
}

func (c *testCase) wants(section txtar.File, line int) error {
	for _, text := range documents(string(section.Data)) {
		var object map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
			return fmt.Errorf("%s:%d: section %s: %w", c.file, line, wantSection, err)
		}
		if object == nil {
			continue
		}
		if api.Object(object).Kind() == "" {
			return fmt.Errorf("%s:%d: section %s: an object has no kind", c.file, line, wantSection)
		}
		normal, _ := normalize(object).(map[string]any)
		c.want = append(c.want, wanted{object: normal, text: text})
	}
	return nil
}

// documents splits a stream of YAML.
func documents(stream string) []string {
	all := []string{""}
	for line := range strings.Lines(stream) {
		if strings.TrimRight(line, " \n") == "---" {
			all = append(all, "")
			continue
		}
		all[len(all)-1] += line
	}
	return all
}

// lines returns what stands in the lines of a section that are not empty.
func lines(data []byte) []string {
	var all []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// normalize makes numbers those of rendered objects: integers where they are.
func normalize(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = normalize(value)
		}
	case []any:
		for i, value := range v {
			v[i] = normalize(value)
		}
	case float64:
		if i := int64(v); float64(i) == v {
			return i
		}
	}
	return v
}

// set puts data into a section, which is added at the end if there is none. It
// says whether that changed anything.
func (c *testCase) set(name string, data []byte) bool {
	for i, section := range c.archive.Files {
		if section.Name == name {
			c.archive.Files[i].Data = data
			return !bytes.Equal(section.Data, data)
		}
	}
	c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: data})
	return true
}

// title returns what an object is called in a test: KIND/NAME.
func title(o api.Object) string { return o.Kind() + "/" + cmp.Or(o.Name(), "*") }
