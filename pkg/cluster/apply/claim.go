// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// keepSize leaves a claim that was expanded since at its size: a smaller one is
// refused by the server, and would hold up the upgrade of everything else.
func (e *Engine) keepSize(s *Step) {
	if !s.Object.Is("", "PersistentVolumeClaim") {
		return
	}
	path := []string{"spec", "resources", "requests", "storage"}
	wanted, isSet, err := quantity(s.Object, path)
	live, isLive, liveErr := quantity(s.live, path)
	if err != nil || liveErr != nil || !isSet || !isLive || wanted.Cmp(live) >= 0 {
		return
	}
	kept, _, _ := unstructured.NestedFieldCopy(s.live, path...)
	if unstructured.SetNestedField(s.Object, kept, path...) != nil {
		return
	}
	s.Reason = fmt.Sprintf("its size of %v is kept", kept)
	e.Observer.Observe(event.Warning{Text: fmt.Sprintf("%s keeps its size of %v: the module asks for %s, and a claim cannot become smaller",
		s.Ref(), kept, wanted.String())})
}

func quantity(o api.Object, path []string) (q resource.Quantity, found bool, err error) {
	value, found, err := unstructured.NestedFieldNoCopy(o, path...)
	if err != nil || !found {
		return q, false, err
	}
	q, err = resource.ParseQuantity(fmt.Sprint(value))
	return q, err == nil, err
}

// withClaims adds to the reason why a StatefulSet is deleted and created again
// what happens to its claims: they are made of the templates once, and never
// changed.
func withClaims(reason string, s *Step) string {
	if !s.Object.Is("apps", "StatefulSet") {
		return reason
	}
	path := []string{"spec", "volumeClaimTemplates"}
	live, _, _ := unstructured.NestedSlice(s.live, path...)
	if len(live) == 0 {
		return reason
	}
	policy, _, _ := unstructured.NestedString(s.live, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
	if policy == "Delete" {
		return reason + "; its PersistentVolumeClaims are deleted with it, as persistentVolumeClaimRetentionPolicy.whenDeleted says"
	}
	wanted, _, _ := unstructured.NestedSlice(s.Object, path...)
	if reflect.DeepEqual(specsOf(live), specsOf(wanted)) {
		return reason
	}
	return reason + "; its PersistentVolumeClaims stay as they are: the new template is only for claims that do not exist"
}

// specsOf returns what claim templates ask for, by name, without what the server
// defaults.
func specsOf(templates []any) map[string]any {
	specs := map[string]any{}
	for _, t := range templates {
		template, _ := t.(map[string]any)
		name, _, _ := unstructured.NestedString(template, "metadata", "name")
		spec, _, _ := unstructured.NestedMap(template, "spec")
		requests, _, _ := unstructured.NestedMap(spec, "resources", "requests")
		specs[name] = []any{spec["storageClassName"], spec["accessModes"], requests}
	}
	return specs
}

// withRecreateHint adds to the server's refusal of a change how to make it
// all the same.
func withRecreateHint(s *Step, invalid error) error {
	if s.Object.IsProtected() {
		return fmt.Errorf("%w; neither --force nor --replace recreates a %s, as its content would be lost", invalid, s.Object.Kind())
	}
	return fail.Hint(invalid, "recreate it with --replace %s/%s, or every such object with --force", s.Object.Kind(), s.Object.Name())
}
