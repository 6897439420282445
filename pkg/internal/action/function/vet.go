// SPDX-License-Identifier: Apache-2.0

package function

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/intake"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// VetRequest says which objects to check by which policies.
type VetRequest struct {
	Request // but for what it says of the input and the config

	// Policies are files with a function config of kind Vet, files in CUE and
	// addresses of artifacts with such files.
	Policies    []string
	Definitions []string // of the policies that are no function configs
	Objects     []string // files and directories, - for the standard input
	Builtin     string   // a version of Kubernetes as whose API server would objects are checked; empty: they are not
}

// Finding is what is wrong with an object.
type Finding struct {
	Severity   krm.Severity `json:"severity"`
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Name       string       `json:"name"`
	Namespace  string       `json:"namespace,omitempty"`
	Field      string       `json:"field,omitempty"`
	File       string       `json:"file,omitempty"`
	Message    string       `json:"message"` // with the object, the field and the places
	Reason     string       `json:"reason,omitempty"`
	Policy     string       `json:"policy,omitempty"`
}

// Vetted is the result of checking objects.
type Vetted struct {
	Valid    bool      `json:"valid"` // no finding is an error
	Objects  int       `json:"objects"`
	Findings []Finding `json:"findings"`
}

// Vet checks objects.
func Vet(ctx context.Context, req VetRequest, observer event.Observer) (vetted *Vetted, err error) {
	policies, err := req.policies(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := intake.Objects(ctx, req.Objects, req.Input, observer)
	if err != nil {
		return nil, err
	}
	s := &session{req: req.Request, observer: observer, modules: map[string]*source.Module{}}
	defer func() { err = errors.Join(err, s.close()) }()
	vetted = &Vetted{Valid: true, Objects: len(objects), Findings: []Finding{}}
	for _, p := range policies {
		list, err := krm.ReadStream(p.Text, strings.NewReader(""))
		if err == nil && list.Config.GetKind() != krm.KindVet {
			err = fail.Invalidf("the function config is of kind %q: want %s", list.Config.GetKind(), krm.KindVet)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		list.Items = slices.Clone(objects)
		function := krm.Function{Dir: p.Dir, Fetch: s.fetch, Trust: req.Trust, Limits: req.Limits, Explain: req.Explain}
		err = function.Run(ctx, list)
		if err != nil && fail.CodeOf(err) != fail.No {
			return nil, err
		}
		vetted.add(p.Name, list.Results)
	}
	return vetted, nil
}

// add takes over what a policy has found.
func (v *Vetted) add(policy string, results []krm.Result) {
	for _, r := range results {
		f := Finding{Severity: r.Severity, Message: r.Message, Reason: r.Tags["reason"], Policy: policy}
		if id := r.ResourceRef; id != nil {
			f.APIVersion, f.Kind, f.Name, f.Namespace = id.APIVersion, id.Kind, id.Name, id.Namespace
		}
		if r.Field != nil {
			f.Field = r.Field.Path
		}
		if r.File != nil {
			f.File = r.File.Path
		}
		v.Findings = append(v.Findings, f)
		v.Valid = v.Valid && r.Severity != krm.Error
	}
}

// policies returns what to check the objects by.
func (req VetRequest) policies(ctx context.Context) ([]intake.Policy, error) {
	policies, err := intake.Policies(ctx, req.Policies, req.Definitions)
	if err != nil || req.Builtin == "" {
		return policies, err
	}
	builtin, err := intake.Builtin(req.Builtin)
	return append(policies, builtin), err
}
