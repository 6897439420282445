// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/vet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// vetConfig is a function config of kind Vet.
type vetConfig struct {
	APIVersion string         `json:"apiVersion" schema:"required"`
	Kind       string         `json:"kind" schema:"required"`
	Metadata   configMetadata `json:"metadata" schema:"required"`
	Spec       vetSpec        `json:"spec" schema:"required"`
}

type vetSpec struct {
	Schema     schemaConfig   `json:"schema" doc:"Where the definitions are. Required unless kubernetes is given."`
	Rules      []ruleConfig   `json:"rules" doc:"Which objects are checked by which definition; by all that match."`
	Kubernetes string         `json:"kubernetes" doc:"A version of Kubernetes, such as 1.36.3, as whose API server would objects of its own kinds are checked: kinds, fields, selectors. Ports that no container has are a warning, images without a digest an info. Default: they are not checked."`
	Emit       string         `json:"emit" schema:"All|None" doc:"The objects that are passed on. Default: All. Under validators: kustomize wants None, which elsewhere deletes all objects."`
	Registry   registryConfig `json:"registry" doc:"How the registry is reached."`
	Verify     verifyConfig   `json:"verify" doc:"By whom a schema in a registry must be signed."`
}

type schemaConfig struct {
	File    string `json:"file" doc:"A file in CUE, in or below the directory of the kustomization. It may import packages of the CUE module around it."`
	Inline  string `json:"inline" doc:"The text of such a file."`
	URL     string `json:"url" doc:"An artifact with files in CUE: oci://REGISTRY/REPOSITORY."`
	Version string `json:"version" doc:"The tag in the registry. Default: latest."`
	Digest  string `json:"digest" doc:"What the manifest in the registry must have: sha256:…"`
}

type ruleConfig struct {
	Match      matchConfig `json:"match" doc:"Default: every object."`
	Definition string      `json:"definition" schema:"required" doc:"Its path in the schema, such as #Workload."`
	Severity   string      `json:"severity" schema:"error|warning|info" doc:"Default: error, the only one that makes the function fail."`
	Message    string      `json:"message" doc:"What the user reads in place of CUE's words, after the object and the field."`
	Closed     bool        `json:"closed" doc:"Structs that the schema writes allow no other fields unless they end in \"...\", as in CUE. Default: only imported definitions and close are closed."`
}

// matchConfig selects as the target of a patch in a kustomization does.
type matchConfig struct {
	Group              string `json:"group" doc:"Default: any."`
	Version            string `json:"version" doc:"Default: any."`
	Kind               string `json:"kind" doc:"Default: any."`
	Name               string `json:"name" doc:"A regular expression for the whole name."`
	Namespace          string `json:"namespace" doc:"A regular expression for the whole namespace."`
	LabelSelector      string `json:"labelSelector" doc:"As kubectl has it: app=web,tier!=cache."`
	AnnotationSelector string `json:"annotationSelector" doc:"The same for annotations."`
}

// The values of emit.
const (
	EmitAll  = "All"
	EmitNone = "None"
)

func (c *vetConfig) check() error {
	problems := []error{c.Spec.Registry.check()}
	hasSchema := c.Spec.Schema != schemaConfig{} || len(c.Spec.Rules) > 0
	if hasSchema || c.Spec.Kubernetes == "" {
		problems = append(problems, c.Spec.Schema.check())
	}
	if c.Metadata.Name == "" {
		problems = append(problems, fields.Errorf("metadata.name", "is missing"))
	}
	known := []string{EmitAll, EmitNone}
	if e := c.Spec.Emit; e != "" && !slices.Contains(known, e) {
		problems = append(problems, fields.Errorf("spec.emit", "unknown value %q%s", e, fail.Suggest(e, known)))
	}
	if len(c.Spec.Rules) == 0 && (hasSchema || c.Spec.Kubernetes == "") {
		problems = append(problems, fields.Errorf("spec.rules", "is missing"))
	}
	severities := []string{string(Error), string(Warning), string(Info)}
	for i, r := range c.Spec.Rules {
		field := fmt.Sprintf("spec.rules[%d]", i)
		if r.Definition == "" {
			problems = append(problems, fields.Errorf(field+".definition", "is missing"))
		}
		if r.Severity != "" && !slices.Contains(severities, r.Severity) {
			problems = append(problems, fields.Errorf(field+".severity", "unknown value %q%s", r.Severity, fail.Suggest(r.Severity, severities)))
		}
	}
	return errors.Join(problems...)
}

func (c schemaConfig) check() error {
	given := 0
	for _, s := range []string{c.File, c.Inline, c.URL} {
		if s != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return fields.Errorf("spec.schema.file", "is missing, and so are inline and url")
	case given > 1:
		return fields.Errorf("spec.schema", "has more than one of file, inline and url")
	case c.URL == "" && c.Version != "":
		return fields.Errorf("spec.schema.version", "only an artifact has one, which url names")
	case c.URL == "" && c.Digest != "":
		return fields.Errorf("spec.schema.digest", "only an artifact has one, which url names")
	}
	return nil
}

// vet checks the items, and passes them on as they are.
func (f Function) vet(ctx context.Context, list *List, s subject) error {
	config := &vetConfig{}
	err := fields.Decode(list.Config.YNode(), config)
	if err == nil {
		err = config.check()
	}
	if err != nil {
		return list.report(s, err)
	}
	var rules []vet.Rule
	if len(config.Spec.Rules) > 0 {
		if rules, err = f.rules(ctx, config.Spec, list.Items, &s); err != nil {
			return list.report(s, err)
		}
	}
	if len(list.Items) == 0 {
		list.warn(s, "there are no objects to check: kustomize passes them only to what is listed under validators: or transformers:")
	}
	found, err := render.Bounded(ctx, f.Limits, "check", "the objects", func() ([]Result, error) { return f.violations(rules, config.Spec.Kubernetes, list.Items) })
	if err != nil {
		return list.report(s, err)
	}
	list.Results = append(list.Results, found...)
	list.passed = len(list.Items) > 0
	if config.Spec.Emit == EmitNone {
		list.Items, list.passed = nil, false
	}
	var failures []Result
	for _, r := range found {
		if r.Severity == Error {
			failures = append(failures, r)
		}
	}
	if len(failures) == 0 {
		return nil
	}
	return fail.With(fail.No, &resultsError{subject: s, results: failures, all: true})
}

// rules reads the schema and finds the definitions in it.
func (f Function) rules(ctx context.Context, spec vetSpec, items []*yaml.RNode, s *subject) ([]vet.Rule, error) {
	policy, err := f.schema(ctx, spec, items, s)
	if err != nil {
		return nil, err
	}
	var rules []vet.Rule
	var problems []error
	for i, r := range spec.Rules {
		p, err := policy.read(ctx, f.Limits, r.Closed)
		if err != nil {
			return nil, err
		}
		field := fmt.Sprintf("spec.rules[%d]", i)
		definition, err := p.Definition(r.Definition)
		problems = append(problems, fields.At(field+".definition", err))
		selector, err := r.Match.selector(field + ".match")
		problems = append(problems, err)
		if err != nil {
			continue
		}
		rule, err := vet.NewRule(selector, definition, cmp.Or(r.Severity, string(Error)), r.Message)
		problems = append(problems, fields.At(field+".match", err))
		rules = append(rules, rule)
	}
	return rules, errors.Join(problems...)
}

// schema is what holds the definitions.
type schema struct {
	files  []cuefile.File
	within string               // nothing that is read leaves this directory
	field  string               // of the config
	known  map[bool]*vet.Policy // by whether its structs are closed
}

// read evaluates the files, within the limits of a rendering.
func (s *schema) read(ctx context.Context, limits render.Limits, closed bool) (*vet.Policy, error) {
	if p, ok := s.known[closed]; ok {
		return p, nil
	}
	p, err := render.Bounded(ctx, limits, "read", "the schema", func() (*vet.Policy, error) {
		return vet.Read(s.files, vet.Options{Within: s.within, Closed: closed})
	})
	s.known[closed] = p
	return p, fields.At(s.field, err)
}

// schema returns the files that hold the definitions.
func (f Function) schema(ctx context.Context, spec vetSpec, items []*yaml.RNode, s *subject) (*schema, error) {
	found := &schema{known: map[bool]*vet.Policy{}}
	switch config := spec.Schema; {
	case config.Inline != "":
		found.field, found.within = "spec.schema.inline", f.Dir
		found.files = []cuefile.File{{Name: found.field, Data: []byte(config.Inline)}}
		return found, nil
	case config.File != "":
		found.field, found.within = "spec.schema.file", repository(f.Dir)
		s.files = []string{config.File}
		file, err := readCUE(ctx, f.Dir, config.File)
		found.files = []cuefile.File{file}
		return found, fields.At(found.field, err)
	}
	artifact, err := f.module(moduleConfig{spec.Schema.URL, spec.Schema.Version, spec.Schema.Digest}, "spec.schema")
	if err != nil {
		return nil, err
	}
	if artifact.IsLocal() {
		return nil, fields.Errorf("spec.schema.url", "%q is not oci://REGISTRY/REPOSITORY: for a file there is spec.schema.file", spec.Schema.URL)
	}
	found.field = "spec.schema.url"
	found.files, found.within, err = f.artifact(ctx, spec, artifact, items)
	return found, err
}

func (f Function) artifact(ctx context.Context, spec vetSpec, artifact ref.Reference, items []*yaml.RNode) ([]cuefile.File, string, error) {
	access, err := f.access(ctx, spec.Registry, spec.Verify, artifact, items)
	if err != nil {
		return nil, "", err
	}
	dir, err := f.Fetch(ctx, artifact, access)
	if err != nil {
		return nil, "", fields.At("spec.schema.url", err)
	}
	files, err := vet.Files(ctx, dir, artifact.String())
	return files, dir, fields.At("spec.schema.url", err)
}

// selector returns what a rule selects by; its errors name the field, whose
// parent is given.
func (m matchConfig) selector(parent string) (vet.Selector, error) {
	s := vet.Selector{
		Group: m.Group, Version: m.Version, Kind: m.Kind, Name: m.Name, Namespace: m.Namespace,
		Labels: m.LabelSelector, Annotations: m.AnnotationSelector,
	}
	return s, m.check(parent)
}

func (m matchConfig) check(parent string) error {
	var problems []error
	for _, f := range [][2]string{{"group", m.Group}, {"version", m.Version}, {"kind", m.Kind}, {"name", m.Name}, {"namespace", m.Namespace}} {
		if _, err := regexp.Compile(f[1]); err != nil {
			problems = append(problems, fields.Errorf(parent+"."+f[0], "%q: %w", f[1], err))
		}
	}
	empty := yaml.MakeNullNode()
	if _, err := empty.MatchesLabelSelector(m.LabelSelector); err != nil {
		problems = append(problems, fields.Errorf(parent+".labelSelector", "%q: %w", m.LabelSelector, err))
	}
	if _, err := empty.MatchesAnnotationSelector(m.AnnotationSelector); err != nil {
		problems = append(problems, fields.Errorf(parent+".annotationSelector", "%q: %w", m.AnnotationSelector, err))
	}
	return errors.Join(problems...)
}
