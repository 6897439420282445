// SPDX-License-Identifier: Apache-2.0

// Package corpus_test compares what small modules render to with what
// docs/interop.md says they render to. One module for each definition of the
// schema package and for each class of differences that real modules have shown.
package corpus_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/applycmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/buildcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/krmcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/modcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/golden"
)

// least is how many modules there are at least.
const least = 40

// TestCorpus runs the scripts of testdata. A script's comment says which rule
// gives what is expected, which nothing writes but a person. Its lines that begin
// with "$ " are command lines; of each the objects are those of "want", and every
// line of "stderr" is a regular expression that the standard error output matches:
// none means that it is empty. "# code N" is the exit code. The files below mod/
// are the module; one without cue.mod, timoni.cue or values.cue gets that of
// plain.
func TestCorpus(t *testing.T) {
	t.Parallel()
	count := 0
	for path, archive := range golden.Scripts(t, "testdata/*.txtar") {
		count++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := read(t, archive)
			for _, line := range s.lines {
				s.check(t, line)
			}
		})
	}
	if count < least {
		t.Errorf("%d modules, want at least %d", count, least)
	}
}

// script is a module, and what its command lines have to say.
type script struct {
	dir          string
	lines        []string
	code         int
	want, stderr string
}

// read writes the files of a script.
func read(t *testing.T, archive *txtar.Archive) *script {
	t.Helper()
	s := &script{dir: t.TempDir()}
	for line := range strings.Lines(string(archive.Comment)) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			s.lines = append(s.lines, strings.TrimSpace(command))
		}
		_, _ = fmt.Sscanf(line, "# code %d", &s.code) // others are text
	}
	files := plain()
	stated := map[string][]byte{}
	for _, f := range archive.Files {
		name, isStated := strings.CutPrefix(f.Name, "bytes/")
		switch {
		case isStated:
			stated[name] = f.Data
		case f.Name == "want":
			s.want = string(f.Data)
		case f.Name == "stderr":
			s.stderr = string(f.Data)
		default:
			files[f.Name] = strings.ReplaceAll(string(f.Data), "$WORK", s.dir)
		}
	}
	s.want = computed(t, s.want, stated)
	fixture.Files(t, s.dir, files)
	if len(s.lines) == 0 {
		t.Fatal("the script has no command line")
	}
	return s
}

// plain are the files of a module that declares #Config and _objects alone.
func plain() map[string]string {
	files := map[string]string{
		"mod/cue.mod/module.cue": "module: \"example.com/app\"\nlanguage: version: \"v0.9.0\"\n",
		"mod/values.cue":         "package main\n\nvalues: {}\n",
		"mod/timoni.cue": `package main

#Config: metadata: {
	name:      string
	namespace: string
	...
}

values: #Config

_config: timoni.instance.config

timoni: {
	apiVersion: "v1alpha1"
	instance: config: values
	instance: config: metadata: {
		name:      string @tag(name)
		namespace: string @tag(namespace)
	}
	apply: app: _objects
}
`,
	}
	_ = fs.WalkDir(schema.Core(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var data []byte
			data, err = fs.ReadFile(schema.Core(), name)
			files["mod/cue.mod/pkg/"+name] = string(data)
		}
		return err
	})
	return files
}

var expressionRE = regexp.MustCompile(`\$\((\w+) ([-\w]+)\)`)

// computed replaces $(FUNCTION NAME) by the function of the bytes that the script
// states in bytes/NAME, without the last end of line; of text/NAME with it.
func computed(t *testing.T, text string, stated map[string][]byte) string {
	t.Helper()
	return expressionRE.ReplaceAllStringFunc(text, func(expression string) string {
		m := expressionRE.FindStringSubmatch(expression)
		data, ok := stated[m[2]]
		if !ok {
			t.Fatalf("%s: there is no bytes/%s", expression, m[2])
		}
		line := bytes.TrimSuffix(data, []byte("\n"))
		switch m[1] {
		case "uuid": // of the lines
			return uuid(data)
		case "uuid8": // of the line
			return uuid(line)[:8]
		case "sha256":
			return fmt.Sprintf("%x", sha256.Sum256(line))
		case "base64":
			return base64.StdEncoding.EncodeToString(line)
		case "json":
			return fmt.Sprintf("%q", data)
		}
		t.Fatalf("%s: unknown function", expression)
		return ""
	})
}

// uuid returns the UUID of version 5 (RFC 9562, section 5.5) of a name in the
// name space DNS.
func uuid(name []byte) string {
	dns := "\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"
	sum := sha1.Sum(append([]byte(dns), name...))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// check runs a command line and compares what comes out.
func (s *script) check(t *testing.T, line string) {
	t.Helper()
	stdout, stderr, code := s.run(line)
	if code != s.code {
		t.Fatalf("%s: exit code %d, want %d: %s", line, code, s.code, stderr)
	}
	if s.stderr == "" && stderr != "" {
		t.Errorf("%s: standard error output: %s", line, stderr)
	}
	for expression := range strings.Lines(s.stderr) {
		expression = strings.TrimSuffix(expression, "\n")
		if !regexp.MustCompile("(?m)" + expression).MatchString(stderr) {
			t.Errorf("%s: nothing matches %q in the standard error output: %s", line, expression, stderr)
		}
	}
	if s.code == 0 && !strings.HasPrefix(line, "mod ") {
		if diff := cmp.Diff(objects(t, s.want), objects(t, stdout)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// run runs a command line as a process of its own would.
func (s *script) run(line string) (stdout, stderr string, code int) {
	words := strings.Fields(line)
	commands := map[string]func(cli.Env) *cobra.Command{
		"build": buildcmd.New, "bundle": applycmd.NewBundle, "krm": krmcmd.New, "mod": modcmd.New,
	}
	variables := map[string]string{"KUSTOMIZE_PLUGIN_CONFIG_ROOT": s.dir}
	for strings.Contains(words[0], "=") {
		name, value, _ := strings.Cut(words[0], "=")
		variables[name], words = value, words[1:]
	}
	args := words[1:]
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "$WORK", s.dir)
	}
	var out, errs bytes.Buffer
	env := cli.Env{
		Program: "kubectl timoni " + words[0], Verb: words[0], Args: args,
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		LookupEnv:  func(name string) (string, bool) { value, ok := variables[name]; return value, ok },
		Environ:    func() []string { return nil },
		Executable: func() (string, error) { return os.Args[0], nil },
	}
	result := cli.Run(context.Background(), env, commands[words[0]])
	return out.String(), strings.ReplaceAll(errs.String(), s.dir, "$WORK"), int(result)
}

// objects returns the objects of a stream, without what tells a function where an
// object belongs.
func objects(t *testing.T, stream string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for document := range strings.SplitSeq("\n"+stream, "\n---") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		if object != nil {
			list = append(list, object)
		}
	}
	return list
}
