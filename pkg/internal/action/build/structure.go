// SPDX-License-Identifier: Apache-2.0

package build

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Validation says what becomes of custom resources that are not as their CRDs
// describe them: fields that an API server would refuse, or drop.
type Validation string

// The ways to validate. The zero value is ValidateOff.
const (
	ValidateStrict Validation = "strict" // they are an error
	ValidateWarn   Validation = "warn"   // they are warnings
	ValidateOff    Validation = "off"
)

// Rules judge a custom resource by the rules in CEL of its CRD: package
// crd/cel. It is asked about objects whose structure is right.
type Rules interface {
	Validate(ctx context.Context, d crd.Definition, object api.Object) []crd.Problem
}

// StructureError is what is wrong with the custom resources.
type StructureError struct{ Problems []StructureProblem }

// StructureProblem is one thing that is wrong with one of them.
type StructureProblem struct {
	Message string
	Origin  render.Origin // of what is wrong
}

// String returns the message and, in a second line, where it comes from.
func (p StructureProblem) String() string { return p.Message + "\n    " + p.Origin.String() }

// maxProblems is how many problems an error shows: a screen at most.
const maxProblems = 10

// Error returns the first problems and the number of the others.
func (e *StructureError) Error() string {
	shown := e.Problems[:min(len(e.Problems), maxProblems)]
	lines := make([]string, len(shown))
	for i, p := range shown {
		lines[i] = p.String()
	}
	text := strings.Join(lines, "\n")
	if more := len(e.Problems) - len(shown); more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}

// Check holds custom resources to the CRDs that are given, to those among the
// objects, which win, and for other kinds to those that the module has in its
// cue.mod; and objects of Kubernetes' own kinds to what its API server takes.
// The error is a StructureError. Images without a digest are noted when the
// latter is strict.
func Check(ctx context.Context, req Request, m *source.Module, result *render.Result, observer event.Observer) error {
	mask := values.Mask(req.Values)
	var refused []StructureProblem
	report := func(how Validation, problem StructureProblem) {
		problem.Message = mask(problem.Message)
		switch how {
		case ValidateStrict:
			refused = append(refused, problem)
		case ValidateWarn:
			observer.Observe(event.Warning{Text: problem.String()})
		}
	}
	if isOn(req.Validate) {
		for _, problem := range structureProblems(ctx, req, m, result) {
			report(req.Validate, problem)
		}
	}
	if isOn(req.BuiltIns) {
		schemas, err := req.schemas()
		if err != nil {
			return err
		}
		for _, p := range schemas.Check(result.Objects(), cmp.Or(req.KubeVersion, render.DefaultKubeVersion)) {
			how := req.BuiltIns
			if p.Harmless {
				how = ValidateWarn
			}
			report(how, StructureProblem{p.String(), result.Origin(p.Index, p.Path)})
		}
	}
	if req.BuiltIns == ValidateStrict {
		for _, p := range builtin.Unpinned(result.Objects()) {
			observer.Observe(event.Note{Text: mask(p.String())})
		}
	}
	if len(refused) > 0 {
		return &StructureError{Problems: refused}
	}
	return nil
}

// schemas returns those of the request or, by default, those in the binary.
func (req Request) schemas() (*builtin.Schemas, error) {
	if req.Schemas != nil {
		return req.Schemas, nil
	}
	return builtin.Embedded()
}

func isOn(v Validation) bool { return v == ValidateStrict || v == ValidateWarn }

func structureProblems(ctx context.Context, req Request, m *source.Module, result *render.Result) []StructureProblem {
	definitions := slices.Clone(req.CRDs)
	objects := result.Objects()
	var problems []StructureProblem
	report := func(i int, err error) {
		problems = append(problems, StructureProblem{err.Error(), result.Origin(i, "")})
	}
	for i, object := range objects {
		d, ok, err := crd.FromObject(object)
		switch {
		case err != nil:
			report(i, err)
		case ok:
			definitions = append(definitions, d)
		}
	}
	definitions = append(kept(m, objects, crd.NewValidator(definitions), report), definitions...)
	if len(definitions) == 0 {
		return problems
	}
	validator := crd.NewValidator(definitions)
	for i, object := range objects {
		found := validator.Validate(object)
		if d, known := validator.Definition(object); known && len(found) == 0 && req.Rules != nil {
			found = req.Rules.Validate(ctx, d, object)
		}
		for _, p := range found {
			problems = append(problems, StructureProblem{p.String(), result.Origin(i, p.Path)})
		}
	}
	return problems
}

// kept returns what 'mod vendor crd' has kept in the module of the kinds of
// objects that known does not know.
func kept(m *source.Module, objects []api.Object, known *crd.Validator, report func(i int, err error)) []crd.Definition {
	check := func(file string) error {
		if m.Within == "" {
			return nil
		}
		inside, err := values.Within(m.Within, file)
		if err == nil && !inside {
			err = fail.Refusedf("file %q of the module leads outside through a link", file)
		}
		return err
	}
	var all []crd.Definition
	seen := map[string]bool{}
	for i, object := range objects {
		key := object.APIVersion() + " " + object.Kind()
		if _, isKnown := known.Definition(object); isKnown || seen[key] || api.IsBuiltIn(object.Group()) {
			continue
		}
		seen[key] = true
		d, ok, err := crd.FindKept(m.Dir, object, check)
		switch {
		case err != nil:
			report(i, err)
		case ok:
			all = addVersions(all, d)
		}
	}
	return all
}

// addVersions adds a definition, or its versions to those of the same kind.
func addVersions(all []crd.Definition, d crd.Definition) []crd.Definition {
	for i, other := range all {
		if other.Group == d.Group && other.Kind == d.Kind {
			all[i].Versions = append(all[i].Versions, d.Versions...)
			return all
		}
	}
	return append(all, d)
}
