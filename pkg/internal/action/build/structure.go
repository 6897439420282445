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
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
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

// Check holds custom resources to the CRDs that are given and to those among
// the objects, which win, and objects of Kubernetes' own kinds to what its API
// server takes. The error is a StructureError.
func Check(ctx context.Context, req Request, result *render.Result, observer event.Observer) error {
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
		for _, problem := range structureProblems(ctx, req, result) {
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

func structureProblems(ctx context.Context, req Request, result *render.Result) []StructureProblem {
	definitions := slices.Clone(req.CRDs)
	objects := result.Objects()
	var problems []StructureProblem
	for i, object := range objects {
		d, ok, err := crd.FromObject(object)
		switch {
		case err != nil:
			problems = append(problems, StructureProblem{err.Error(), result.Origin(i, "")})
		case ok:
			definitions = append(definitions, d)
		}
	}
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
