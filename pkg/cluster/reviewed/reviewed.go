// SPDX-License-Identifier: Apache-2.0

// Package reviewed says of each object of a plan what was reviewed, in a form that
// can be kept, and how a plan that is made later differs from it.
package reviewed

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Step is what a plan shows of one object, in a form that can be kept: a plan
// that is made later shows the same or another change. It holds no value of the
// object.
type Step struct {
	event.Outcome
	UID      string `json:"uid,omitempty"`      // of the live object, empty when there is none
	Before   string `json:"before,omitempty"`   // the digest of the live object
	After    string `json:"after,omitempty"`    // the digest of what it becomes
	Replicas *Size  `json:"replicas,omitempty"` // nil for an object without
}

// Size is the number of replicas of an object, which is in none of its digests: an
// autoscaler changes it.
type Size struct {
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	Owner  string `json:"owner,omitempty"` // the autoscaler, empty for none
}

// StepOf returns a step with the states before and after it, of which either may
// be nil. What is sent counts for what the server makes anew each time. scaler
// names the autoscaler of a live object.
func StepOf(o event.Outcome, before, after, sent api.Object, scaler func(api.Object) string) Step {
	s := Step{Outcome: o}
	if !o.IsChange() {
		return s
	}
	if before != nil {
		s.UID, s.Before = kube.UID(before), digestOf(live(before))
	}
	switch o.Action {
	case event.Created, event.Recreated:
		after = sent // the server makes other addresses and names each time
	case event.Configured:
		s.Replicas = sizeOf(before, after, scaler)
	}
	if after != nil {
		s.After = digestOf(lasting(after))
	}
	return s
}

// sizeOf returns the replicas before and after an update, nil where there are none.
func sizeOf(before, after api.Object, scaler func(api.Object) string) *Size {
	was, had, err := unstructured.NestedInt64(before, "spec", "replicas")
	if !had || err != nil {
		return nil
	}
	is, _, _ := unstructured.NestedInt64(after, "spec", "replicas") // 0: they are taken away
	return &Size{Before: was, After: is, Owner: scaler(before)}
}

// Differs says how a plan that was made later differs from what was shown of an
// object, empty when it does not. What controllers report, and the number of
// replicas that an autoscaler has set, is no difference.
func (s Step) Differs(later Step) string {
	switch {
	case s.Action != later.Action:
		text := fmt.Sprintf("it was to be %s, and would be %s now", s.Action, later.Action)
		if later.Reason != "" {
			text += ": " + later.Reason
		}
		return text
	case s.UID != later.UID:
		return "it is another object of the name"
	case s.Before != later.Before || s.Replicas.hasChanged(later.Replicas):
		return "it has changed"
	case s.After != later.After:
		return "the server would make something else of it"
	}
	return ""
}

// hasChanged says whether sizes that two plans show differ in what a person has
// reviewed.
func (s *Size) hasChanged(later *Size) bool {
	switch {
	case s == nil || later == nil:
		return s != later
	case later.Owner != "": // which an apply leaves to it
		return s.Owner == "" && s.Before != s.After
	}
	return *s != *later
}

// live returns what counts of a live object: not its status nor what was written
// with it, nor versions and times. A Secret counts with its version instead of its
// data, of which no digest leaves the cluster.
func live(o api.Object) api.Object {
	c := lasting(o)
	metadata, _ := c["metadata"].(map[string]any)
	metadata["managedFields"] = writers(o)
	if o.IsSecret() {
		delete(c, "data")
		delete(c, "stringData")
		delete(metadata, "annotations")
		metadata["resourceVersion"] = kube.ResourceVersion(o)
	}
	return c
}

// lasting returns a copy of an object without what the server and controllers
// write of themselves, and without the number of replicas.
func lasting(o api.Object) api.Object {
	c := o.DeepCopy()
	delete(c, "status")
	for _, path := range [][]string{
		{"metadata", "managedFields"},
		{"metadata", "resourceVersion"}, {"metadata", "generation"}, {"metadata", "creationTimestamp"}, {"metadata", "selfLink"},
		{"spec", "replicas"},
	} {
		unstructured.RemoveNestedField(c, path...)
	}
	for _, key := range statusAnnotations(o) {
		c.RemoveAnnotation(key)
	}
	if annotations, found, err := unstructured.NestedMap(c, "metadata", "annotations"); found && err == nil && len(annotations) == 0 {
		unstructured.RemoveNestedField(c, "metadata", "annotations")
	}
	return c
}

// statusAnnotations returns the keys of the annotations that were written with the
// status, as the Deployment controller writes the revision.
func statusAnnotations(o api.Object) []string {
	var keys []string
	entries, _, _ := unstructured.NestedSlice(o, "metadata", "managedFields") // none in another form
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		if entry["subresource"] != "status" {
			continue
		}
		fields, _, _ := unstructured.NestedMap(entry, "fieldsV1", "f:metadata", "f:annotations")
		for field := range fields {
			keys = append(keys, strings.TrimPrefix(field, "f:"))
		}
	}
	return keys
}

// writers returns who has written which fields of an object, without times, the
// status and the number of replicas.
func writers(o api.Object) []any {
	entries, _, _ := unstructured.NestedSlice(o, "metadata", "managedFields") // none in another form
	var all []any
	for _, e := range entries {
		entry, ok := e.(map[string]any)
		if !ok || entry["subresource"] != nil && entry["subresource"] != "" {
			continue
		}
		delete(entry, "time")
		unstructured.RemoveNestedField(entry, "fieldsV1", "f:spec", "f:replicas")
		if spec, found, err := unstructured.NestedMap(entry, "fieldsV1", "f:spec"); found && err == nil && len(spec) == 0 {
			unstructured.RemoveNestedField(entry, "fieldsV1", "f:spec")
		}
		all = append(all, entry)
	}
	return all
}

func digestOf(o api.Object) string {
	text, err := json.Marshal(o)
	if err != nil {
		return "" // of a value that no object has
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(text))
}
