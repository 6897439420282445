// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/values"
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
type StructureError struct{ Problems []string }

// maxProblems is how many problems an error shows: a screen at most.
const maxProblems = 10

// Error returns the first problems and the number of the others.
func (e *StructureError) Error() string {
	shown := e.Problems[:min(len(e.Problems), maxProblems)]
	text := strings.Join(shown, "\n")
	if more := len(e.Problems) - len(shown); more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}

// checkStructure holds custom resources to the CRDs that are given and to
// those among the objects, which win.
func checkStructure(ctx context.Context, req Request, objects []api.Object, observer event.Observer) error {
	if req.Validate != ValidateStrict && req.Validate != ValidateWarn {
		return nil
	}
	problems := structureProblems(ctx, req, objects)
	mask := values.Mask(req.Values)
	for i, problem := range problems {
		problems[i] = mask(problem)
	}
	if len(problems) > 0 && req.Validate == ValidateStrict {
		return &StructureError{Problems: problems}
	}
	for _, problem := range problems {
		observer.Observe(event.Warning{Text: problem})
	}
	return nil
}

func structureProblems(ctx context.Context, req Request, objects []api.Object) []string {
	definitions := slices.Clone(req.CRDs)
	var problems []string
	for _, object := range objects {
		d, ok, err := crd.FromObject(object)
		switch {
		case err != nil:
			problems = append(problems, err.Error())
		case ok:
			definitions = append(definitions, d)
		}
	}
	if len(definitions) == 0 {
		return problems
	}
	validator := crd.NewValidator(definitions)
	for _, object := range objects {
		found := validator.Validate(object)
		if d, known := validator.Definition(object); known && len(found) == 0 && req.Rules != nil {
			found = req.Rules.Validate(ctx, d, object)
		}
		for _, p := range found {
			problems = append(problems, p.String())
		}
	}
	return problems
}
