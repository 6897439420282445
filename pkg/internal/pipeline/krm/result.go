// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Severity says how bad a result is.
type Severity string

// The severities that the function uses.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Result is one thing that the function has to say, in the form of the KRM
// functions specification. (kyaml's own type comes with its framework and
// brings the validators of OpenAPI along.)
type Result struct {
	Message     string                   `yaml:"message"`
	Severity    Severity                 `yaml:"severity"`
	ResourceRef *yaml.ResourceIdentifier `yaml:"resourceRef,omitempty"` // the function config, or an object
	Field       *Field                   `yaml:"field,omitempty"`       // of the function config
	File        *File                    `yaml:"file,omitempty"`        // a file that it names
	Tags        map[string]string        `yaml:"tags,omitempty"`        // hint: what to do; line: in File
}

// Field names a field of an object.
type Field struct {
	Path string `yaml:"path"`
}

// File names a file, relative to the base directory.
type File struct {
	Path  string `yaml:"path"`
	Index int    `yaml:"index,omitempty"` // of the object in it
}

// maxResults is how many results the text of an error shows.
const maxResults = 10

// resultsError is the error of a function. Its text is that of its results;
// what caused it is wrapped.
type resultsError struct {
	subject subject
	results []Result // of severity Error, at least one
	all     bool     // are shown
	cause   error
}

// Error returns the first results in full and the number of the others.
func (e *resultsError) Error() string {
	var lines []string
	for i, r := range e.results {
		if i == maxResults && !e.all {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.results)-i))
			break
		}
		lines = append(lines, r.Message)
	}
	return e.about() + strings.Join(lines, "\n")
}

// about names the function config: a kustomization may have several.
func (e *resultsError) about() string {
	switch {
	case e.subject.ref == nil:
		return ""
	case e.subject.instance != "":
		return describeID(*e.subject.ref) + ": " + e.subject.hide(e.subject.instance) + ": "
	}
	return describeID(*e.subject.ref) + ": "
}

// Unwrap returns the cause.
func (e *resultsError) Unwrap() error { return e.cause }

// uidNobody is the user as which kustomize, kubectl and kpt start containers.
const uidNobody = 65534

// report adds what went wrong to the results and returns it with their
// text. Its exit code is not that of a wrong command line. What reads a bare
// stream sees no results, so it must not find its objects there either.
func (l *List) report(s subject, err error) error {
	err = l.explained(err)
	if errors.Is(err, fs.ErrPermission) && os.Getuid() == uidNobody && len(fail.HintsOf(err)) == 0 {
		err = fail.Hint(err, "functions in containers run as the user nobody: let all users read the file, or build with --as-current-user")
	}
	err = values.HideIn(s.hide)(err)
	results := s.results(err)
	if s.ref != nil && isConfigMap(l.Config) {
		for i := range results {
			configMapData{}.rename(&results[i])
		}
	}
	l.Results = append(l.Results, results...)
	if l.bare {
		l.Items, l.made = nil, nil
	}
	code := fail.CodeOf(err)
	if code == fail.Usage {
		code = fail.Failed
	}
	return fail.With(code, &resultsError{subject: s, results: results, cause: err})
}

// explained returns an error with the hints and exit codes of what it consists of.
func (l *List) explained(err error) error {
	parts := split(err)
	switch {
	case l.explain == nil:
		return err
	case parts == nil:
		return l.explain(err)
	}
	explained := make([]error, len(parts))
	for i, part := range parts {
		explained[i] = l.explained(part)
	}
	return errors.Join(explained...)
}

// warn adds a warning to the results.
func (l *List) warn(s subject, text string) {
	l.Results = append(l.Results, s.result(Warning, s.hide(text)))
}

// subject is what results are about.
type subject struct {
	ref    *yaml.ResourceIdentifier
	fields map[place]string // in the source called configName
	files  []string         // that the function config names

	instance string         // of the bundle, empty for what concerns all of it
	runtime  bundle.Runtime // whose values are not shown
	warnings []string       // about the config

	secret func(string) string // hides what was encrypted, nil for nothing
}

// hide returns a text without the values of the runtime and what was encrypted.
// Every text that leaves the function goes through it, but for the objects.
func (s subject) hide(text string) string {
	text = s.runtime.Hider()(text)
	if s.secret == nil {
		return text
	}
	return s.secret(text)
}

func (s subject) result(severity Severity, message string) Result {
	r := Result{Severity: severity, Message: message, ResourceRef: s.ref}
	if s.instance != "" {
		r.tag("instance", s.hide(s.instance))
	}
	return r
}

// results splits an error into what it consists of.
func (s subject) results(err error) []Result {
	var all []Result
	if parts := split(err); parts != nil {
		for _, part := range parts {
			all = append(all, s.results(part)...)
		}
		return all
	}
	if e, ok := errors.AsType[*values.Error](err); ok {
		for _, p := range e.Problems {
			all = append(all, s.problem(p))
		}
	} else {
		all = []Result{s.result(Error, err.Error())}
	}
	field, hasField := errors.AsType[*fields.Error](err)
	hints := strings.Join(fail.HintsOf(err), "\n")
	for i := range all {
		if hasField {
			all[i].pointTo(field.Field)
		}
		if hints != "" {
			all[i].tag("hint", hints)
		}
	}
	return all
}

// split returns the errors that errors.Join has joined. Others that wrap
// several have a text of their own, which would be lost.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if ok && errors.Join(joined.Unwrap()...).Error() == err.Error() {
		return joined.Unwrap()
	}
	return nil
}

// problem returns a problem of CUE's as a result. Where it points to spec.values
// it names the field, first, since that is what the user can change.
func (s subject) problem(p values.Problem) Result {
	r := s.result(Error, values.Problem{Path: p.Path, Message: p.Message}.String())
	elsewhere := p.Positions[:0:0]
	for _, pos := range p.Positions {
		if pos.Filename == configName {
			r.pointTo(s.fields[place{pos.Line, pos.Column}])
			continue
		}
		elsewhere = append(elsewhere, pos)
		if r.File == nil && slices.Contains(s.files, pos.Filename) {
			r.File = &File{Path: pos.Filename}
			r.tag("line", strconv.Itoa(pos.Line))
		}
	}
	head := r.Message
	if r.Field != nil {
		r.Message += "\n    " + configName + ": " + r.Field.Path
	}
	p.Positions = elsewhere
	r.Message += strings.TrimPrefix(p.String(), head)
	return r
}

// pointTo sets the field of the function config, unless there is one already.
func (r *Result) pointTo(field string) {
	if r.Field == nil && field != "" {
		r.Field = &Field{field}
	}
}

func (r *Result) tag(key, value string) {
	if r.Tags == nil {
		r.Tags = map[string]string{}
	}
	r.Tags[key] = value
}
