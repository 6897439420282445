// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// prepare makes the steps of a request: each object with its resource, its
// namespace according to its scope, and the owner labels. No object may stand
// there twice.
func (e *Engine) prepare(req Request) ([]*Step, error) {
	rendered := renderedKinds(req.Stages)
	req.Earlier.AddKinds(rendered)
	var steps []*Step
	var errs []error
	seen := map[api.ID]bool{}
	for i, stage := range req.Stages {
		for _, o := range stage.Objects {
			step := &Step{Item: survey.Item{Object: o.DeepCopy()}, decision: decision{stage: i}}
			fieldset.Prepare(step.Object)
			if err := e.resolve(step, rendered, req.Earlier != nil); err != nil {
				errs = append(errs, err)
				continue
			}
			e.own(step, req.Instance.Metadata)
			id := step.Object.ID()
			if seen[id] {
				errs = append(errs, fmt.Errorf("%s is rendered twice", step.Ref()))
			}
			seen[id] = true
			steps = append(steps, step)
		}
	}
	return steps, errors.Join(errs...)
}

// resolve finds the resource of a step. A kind that the run itself defines is
// known from its CustomResourceDefinition, scope included. One that no server
// knows may be installed by an earlier stage, an operator for example; in the
// first stage there is none, unless late says that other instances come first.
func (e *Engine) resolve(step *Step, rendered map[schema.GroupKind]kube.Resource, late bool) error {
	gvk := gvkOf(step.Object)
	if r, ok := rendered[gvk.GroupKind()]; ok {
		r.Version = gvk.Version
		step.Resource, step.Resolved = r, true
		return nil
	}
	r, err := e.Client.Resource(gvk)
	if (kube.IsUnknownKind(err) || kube.IsUnavailable(err)) && (step.stage > 0 || late) {
		return nil
	}
	if kube.IsUnknownKind(err) {
		step.refuse(e.unknownKind(step))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step.Ref(), err)
	}
	step.Resource, step.Resolved = r, true
	return nil
}

// unknownKind returns the error of a step whose kind the server does not know.
func (e *Engine) unknownKind(step *Step) error {
	unknown := &UnknownKindError{Object: step.Ref()}
	if successor, found := e.Client.Successor(gvkOf(step.Object)); found {
		unknown.Successor = successor.String()
	}
	return unknown
}

// own gives the object the namespace that its scope asks for and the labels of
// its owner.
func (e *Engine) own(step *Step, m api.Metadata) {
	switch {
	case step.Resolved && !step.Resource.Namespaced:
		unstructured.RemoveNestedField(step.Object, "metadata", "namespace")
	case step.Object.Namespace() == "":
		step.Object.SetNamespace(m.Namespace)
	}
	step.Object.SetLabel(api.LabelInstanceName, m.Name)
	step.Object.SetLabel(api.LabelInstanceNamespace, m.Namespace)
}

// renderedKinds returns the kinds that the CustomResourceDefinitions among the
// objects define.
func renderedKinds(stages []Stage) map[schema.GroupKind]kube.Resource {
	rendered := map[schema.GroupKind]kube.Resource{}
	for _, stage := range stages {
		for _, o := range stage.Objects {
			if !o.IsCRD() {
				continue
			}
			gk, r := kinds.Defined(o)
			rendered[gk] = r
		}
	}
	return rendered
}

func gvkOf(o api.Object) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: o.Group(), Version: o.Version(), Kind: o.Kind()}
}

// inventoryOf lists the objects of steps, by kind and then by name.
func inventoryOf(steps []*Step) api.Inventory {
	entries := make([]api.Entry, 0, len(steps))
	for _, s := range steps {
		entries = append(entries, s.Object.ID().Entry(s.Object.Version()))
	}
	slices.SortFunc(entries, byKind)
	return api.Inventory{Entries: entries}
}

func byKind(a, b api.Entry) int {
	ida, erra := a.Parse()
	idb, errb := b.Parse()
	if erra != nil || errb != nil {
		return strings.Compare(a.ID, b.ID)
	}
	if c := strings.Compare(ida.Kind, idb.Kind); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// deferral returns why the server cannot judge a step yet, empty when it can.
func (p *Plan) deferral(s *Step, foundations map[api.ID]*Step) string {
	role, isBinding := kinds.RoleOf(s.Object)
	switch reason := p.request.Earlier.Deferral(s.Object, s.Resource, definitionOf(s.Resource), role); {
	case !s.Resolved && s.stage == 0:
		s.awaits = true
		return "its kind is unknown, an earlier instance may install it"
	case !s.Resolved:
		s.awaits = p.request.Earlier != nil
		return "its kind is unknown, an earlier stage may install it"
	case reason != "":
		s.awaits = true
		return reason
	}
	if ns := s.Object.Namespace(); p.isNewNamespace(ns, foundations) {
		return fmt.Sprintf("namespace %q is created by this run", ns)
	}
	if changes(foundations[definitionOf(s.Resource)]) {
		return "its CustomResourceDefinition is changed by this run"
	}
	if isBinding && changes(foundations[role]) {
		return "its role is changed by this run"
	}
	return ""
}

func (p *Plan) isNewNamespace(ns string, foundations map[api.ID]*Step) bool {
	if ns == "" {
		return false
	}
	if ns == p.request.Instance.Metadata.Namespace {
		return p.newSpace
	}
	s := foundations[api.ID{Kind: "Namespace", Name: ns}]
	return s != nil && s.Action == event.Created || p.request.Earlier.Creates(ns)
}

func changes(s *Step) bool {
	return s != nil && s.Action != event.Unchanged && s.Action != event.Refused
}
