// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd/cel"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// VetRequest says what to vet.
type VetRequest struct {
	build.Request
	KubeVersions []string // the module is built for each; KubeVersion when empty
}

// Severity says how bad a finding is.
type Severity string

// The severities. A module with a warning is valid.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Finding is something that vetting found.
type Finding struct {
	Severity  Severity   `json:"severity"`
	Path      string     `json:"path,omitempty"` // in the configuration
	Message   string     `json:"message"`
	Positions []Position `json:"positions,omitempty"`
	// Rule is what the module says of the field, where that is known, and Advice
	// what may be done.
	Rule         string    `json:"rule,omitempty"`
	RulePosition *Position `json:"rulePosition,omitempty"`
	Advice       string    `json:"advice,omitempty"`
	// Builds are those that it was found in, where there are several.
	Builds []string `json:"builds,omitempty"`
}

// Position is a place in a file.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"`
}

// Vetted is what vetting found.
type Vetted struct {
	Valid    bool      `json:"valid"`
	Module   string    `json:"module,omitempty"` // the CUE module path
	Builds   []string  `json:"builds"`           // what it was built with
	Objects  int       `json:"objects"`          // of the first build
	Rendered []string  `json:"rendered"`         // the objects of all builds, KIND/NAMESPACE/NAME
	Images   []string  `json:"images"`           // of all builds
	Findings []Finding `json:"findings"`

	first []api.Object
}

// First returns the objects of the first build.
func (v *Vetted) First() []api.Object { return v.first }

// variant is one way to build a module.
type variant struct {
	name string
	req  build.Request
}

// Vet builds the module in each of the ways that the request names and returns
// all that is wrong with it. The error is about what kept it from doing so.
func Vet(ctx context.Context, req VetRequest) (*Vetted, error) {
	v := &Vetted{Rendered: []string{}, Images: []string{}, Findings: []Finding{}}
	req.Validate, req.BuiltIns, req.Rules = build.ValidateStrict, build.ValidateStrict, cel.New()
	variants := req.variants()
	for i, variant := range variants {
		v.Builds = append(v.Builds, variant.name)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.build(ctx, variant, i == 0); err != nil {
			return nil, err
		}
	}
	slices.Sort(v.Images)
	v.Images = slices.Compact(v.Images)
	v.Valid = !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Severity == SeverityError })
	if len(variants) == 1 {
		for i := range v.Findings {
			v.Findings[i].Builds = nil
		}
	}
	return v, nil
}

func (req VetRequest) variants() []variant {
	name := "default values"
	switch {
	case req.Debug && len(req.Values) > 0:
		name = "debug values and given values"
	case req.Debug:
		name = "debug values"
	case len(req.Values) > 0:
		name = "given values"
	}
	if len(req.KubeVersions) == 0 {
		return []variant{{name, req.Request}}
	}
	var all []variant
	for _, version := range req.KubeVersions {
		req.KubeVersion = version
		all = append(all, variant{name + ", Kubernetes " + version, req.Request})
	}
	return all
}

// build adds what one build finds.
func (v *Vetted) build(ctx context.Context, b variant, first bool) error {
	b.req.CheckImages, b.req.Whole = true, true
	result, err := build.Render(ctx, b.req, event.Func(func(e event.Event) {
		if w, ok := e.(event.Warning); ok {
			v.add(Finding{Severity: SeverityWarning, Message: w.Text}, b.name)
		}
	}))
	if err != nil {
		return v.addError(ctx, err, b.name)
	}
	for _, p := range result.ImageProblems {
		v.add(finding(p), b.name)
	}
	v.Module = result.ModulePath
	v.Images = append(v.Images, result.Images...)
	if first {
		v.first = result.Objects()
		v.Objects = len(v.first)
	}
	for _, o := range result.Objects() {
		id := o.ID().String()
		if !slices.Contains(v.Rendered, id) {
			v.Rendered = append(v.Rendered, id)
		}
	}
	return nil
}

// IsPinned says whether an image is named by its digest.
func IsPinned(image string) bool { return strings.Contains(image, "@sha256:") }

// addStructure adds what is wrong with custom resources, if that is the error.
func (v *Vetted) addStructure(err error, name string) bool {
	e, ok := errors.AsType[*build.StructureError](err)
	if !ok {
		return false
	}
	for _, p := range e.Problems {
		f := Finding{Severity: SeverityError, Path: p.Origin.Path, Message: p.Message}
		if p.Origin.File != "" {
			f.Positions = []Position{{File: p.Origin.File, Line: p.Origin.Line, Column: p.Origin.Column}}
		}
		v.add(f, name)
	}
	return true
}

// addError adds what an error says of the module, or returns the error when it
// is not about that.
func (v *Vetted) addError(ctx context.Context, err error, build string) error {
	switch problems, ok := errors.AsType[*values.Error](err); {
	case ok:
		for _, p := range causes(problems.Problems) {
			v.add(finding(p), build)
		}
	case isNoModule(err) || ctx.Err() != nil:
		return err
	case v.addStructure(err, build):
	default:
		v.add(Finding{Severity: SeverityError, Message: err.Error()}, build)
	}
	return nil
}

// isNoModule says whether there is nothing to vet, or the command line is
// wrong.
func isNoModule(err error) bool {
	return errors.Is(err, render.ErrNoModule) || errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, source.ErrNoDirectory) || fail.CodeOf(err) == fail.Usage || source.IsUnavailable(err)
}

// causes leaves out what a problem of the values leads to wherever the module
// uses them: the same field, in another place, for the same reason.
func causes(problems []values.Problem) []values.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p values.Problem) bool {
		return slices.ContainsFunc(problems, func(cause values.Problem) bool {
			field, ok := strings.CutPrefix(cause.Path, "values.")
			return ok && p.Path != cause.Path && strings.HasSuffix(p.Path, "."+field) &&
				len(cause.Positions) > 0 && slices.Contains(p.Positions, cause.Positions[0])
		})
	})
}

func finding(p values.Problem) Finding {
	f := Finding{Severity: SeverityError, Path: p.Path, Message: p.Message, Rule: p.Rule, Advice: p.Advice}
	if p.RulePosition.IsValid() {
		at := position(p.RulePosition)
		f.RulePosition = &at
	}
	for _, pos := range p.Positions {
		f.Positions = append(f.Positions, position(pos))
	}
	return f
}

func position(p token.Position) Position {
	return Position{File: p.Filename, Line: p.Line, Column: p.Column}
}

// add adds a finding, or the build to those of one that is known already.
func (v *Vetted) add(f Finding, build string) {
	for i, known := range v.Findings {
		if cmp.Or(cmp.Compare(known.Path, f.Path), cmp.Compare(known.Message, f.Message)) == 0 &&
			slices.Equal(known.Positions, f.Positions) {
			v.Findings[i].Builds = append(v.Findings[i].Builds, build)
			return
		}
	}
	f.Builds = []string{build}
	v.Findings = append(v.Findings, f)
}
