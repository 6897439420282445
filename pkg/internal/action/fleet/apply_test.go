// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// TestApplyCarriesOutWhatWasShown holds that each instance is planned once, that
// one plan of all is shown before the first write, and that it is carried out.
func TestApplyCarriesOutWhatWasShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, objects: []string{"a=1"}}, "b": {namespace: w.more, objects: []string{"b=1", "c=1"}},
	}))
	var shown []string
	req.Apply.Show = func(_ context.Context, differences []instance.Difference) error {
		for _, d := range differences {
			shown = append(shown, fmt.Sprintf("%s %s", d.Name, d.Action))
		}
		if got := w.configMaps(w.ns); len(got) > 0 {
			t.Errorf("written before the plan was shown: %v", got)
		}
		return nil
	}
	since := w.mark()
	w.apply(req)
	if diff := cmp.Diff([]string{"a created", "b created", "c created"}, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	patches := slices.DeleteFunc(w.requests(since), func(r string) bool { return !strings.HasPrefix(r, "patch configmaps") })
	if len(patches) != 6 { // a dry run and a write of each object
		t.Errorf("%d patches, want 6:\n%s", len(patches), strings.Join(patches, "\n"))
	}
}

// TestApplyPlansAStalePlanAgain holds that what another client does between the
// plan and its execution is not overwritten unseen: the instance is planned, and
// shown, again.
func TestApplyPlansAStalePlanAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := func(value string) fleet.ApplyRequest {
		return request(w.bundle("shop", map[string]one{
			"a": {namespace: w.ns, objects: []string{"a=" + value}}, "b": {namespace: w.more, objects: []string{"b=" + value}},
		}))
	}
	w.apply(files("1"))
	shown := 0
	req := files("2")
	theirs := "theirs"
	refusal := errors.New("this is not what I was shown")
	req.Apply.Show = func(context.Context, []instance.Difference) error {
		if shown++; shown == 1 {
			w.edit(w.more, "b", map[string]any{"key": theirs})
			return nil
		}
		return refusal
	}
	applied, err := fleet.Apply(t.Context(), w.site(), req, w.observer())
	if !errors.Is(err, refusal) || shown != 2 {
		t.Errorf("error %v after the plan was shown %d times", err, shown)
	}
	if got := w.configMap(w.more, "b"); got != "theirs" {
		t.Errorf("overwritten with %q", got)
	}
	if got := states(applied); !slices.Equal(got, []string{"a Applied", "b Failed"}) {
		t.Errorf("states %q", got)
	}
	shown, refusal, theirs = 0, nil, "theirs again"
	w.apply(req)
	if got := w.configMap(w.more, "b"); got != "2" || shown != 2 {
		t.Errorf("value %q after the plan was shown %d times", got, shown)
	}
}

// TestPruneIsPlanned holds that the deletion of an instance that left the files is
// a part of the plan that is shown, and happens when that is confirmed.
func TestPruneIsPlanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := map[string]one{"a": {namespace: w.ns, objects: []string{"a=1"}}, "b": {namespace: w.more, objects: []string{"b=1"}}}
	w.apply(request(w.bundle("shop", all)))
	delete(all, "b")
	req := request(w.bundle("shop", all))
	req.PruneInstances = true
	var shown []string
	refusal := errors.New("no")
	req.Apply.Show = func(_ context.Context, differences []instance.Difference) error {
		for _, d := range differences {
			shown = append(shown, fmt.Sprintf("%s %s", d.Name, d.Action))
		}
		return refusal
	}
	applied, err := fleet.Apply(t.Context(), w.site(), req, w.observer())
	if !errors.Is(err, refusal) || w.configMap(w.more, "b") == "" {
		t.Errorf("error %v, states %q", err, states(applied))
	}
	if diff := cmp.Diff([]string{"b deleted"}, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	refusal = nil
	if got := states(w.apply(req)); !slices.Equal(got, []string{"a Applied", "b Deleted"}) || w.configMap(w.more, "b") != "" {
		t.Errorf("states %q", got)
	}
}

// TestPlanKeepsWhatIsAdopted holds that the plan of a renamed instance does not
// show as deleted what the new one adopts, and the run keeps.
func TestPlanKeepsWhatIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(request(w.bundle("shop", map[string]one{"a": {namespace: w.ns, objects: []string{"a=1", "b=1"}}})))
	req := request(w.bundle("shop", map[string]one{"z": {namespace: w.ns, objects: []string{"a=1"}}}))
	req.PruneInstances, req.Apply.Adopt = true, apply.AdoptAll
	var shown []string
	req.Apply.Show = func(_ context.Context, differences []instance.Difference) error {
		for _, d := range differences {
			shown = append(shown, fmt.Sprintf("%s %s", d.Name, d.Action))
		}
		return nil
	}
	w.apply(req)
	if diff := cmp.Diff([]string{"a configured", "b deleted"}, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, w.configMaps(w.ns)); diff != "" {
		t.Errorf("there (-want +got):\n%s", diff)
	}
}

// TestRefusedPlanSaysWhy holds that the result of an apply whose plan is refused
// says which instance is at fault, and why.
func TestRefusedPlanSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	applied, err := fleet.Apply(t.Context(), w.site(), request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, objects: []string{"a=1"}},
		"b": {namespace: w.ns, more: `b: {apiVersion: "v1", kind: "ConfigMap", metadata: name: "b", data: key: 1}` + "\n"},
	})), w.observer())
	if got := states(applied); !slices.Equal(got, []string{"a NotReached", "b Failed"}) || applied.Bundle != "shop" {
		t.Errorf("bundle %q, states %q", applied.Bundle, got)
	}
	want := "apply b: ConfigMap/" + w.ns + "/b: "
	if why := applied.Instances[1].Err; why == nil || !strings.Contains(why.Error(), want) || applied.Err == nil || applied.Err.Error() != err.Error() {
		t.Errorf("instance %v, result %v, error %v", why, applied.Err, err)
	}
	if !strings.Contains(err.Error(), ".data.key: expected a string, got the number 1") {
		t.Errorf("error %v", err)
	}
}

// TestNamespaceAdmin holds S23 for bundles: who may read one namespace alone
// applies a bundle there, and finds what left its files.
func TestNamespaceAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kubeconfig, _, err := w.cp.NamespaceAdmin(t.Context(), w.ns)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig)
	all := map[string]one{"a": {namespace: w.ns, objects: []string{"a=1"}}, "b": {namespace: w.ns, objects: []string{"b=1"}}}
	w.apply(request(w.bundle("shop", all)))
	delete(all, "b")
	req := request(w.bundle("shop", all))
	req.PruneInstances = true
	if got := states(w.apply(req)); !slices.Equal(got, []string{"a Applied", "b Deleted"}) {
		t.Errorf("states %q", got)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, w.configMaps(w.ns)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func states(applied *fleet.Applied) []string {
	var list []string
	for _, in := range applied.Instances {
		list = append(list, fmt.Sprintf("%s %s", in.Name, in.State))
	}
	return list
}

// TestApplyDefersToEarlierInstances holds that what an earlier instance brings is
// named as deferred, and decided before the instance that needs it.
func TestApplyDefersToEarlierInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := strings.ReplaceAll(w.ns, "-", "")
	req := request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, more: fmt.Sprintf(`
			crd: {apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: name: "things.%[1]s.example.com", spec: {
				group: "%[1]s.example.com", scope: "Namespaced", names: {kind: "Thing", plural: "things"}
				versions: [{name: "v1", served: true, storage: true, schema: openAPIV3Schema: {type: "object", properties: spec: {type: "object", properties: n: type: "integer"}}}]
			}}
			hook: {apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicy", metadata: name: "%[2]s", spec: {
				matchConstraints: resourceRules: [{apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"]}]
				validations: [{expression: "true"}]
			}}
		`, kind, w.ns)},
		"b": {namespace: w.ns, objects: []string{"b=1"}, more: fmt.Sprintf(`
			thing: {apiVersion: "%s.example.com/v1", kind: "Thing", metadata: {name: "one", annotations: "action.timoni.sh/wait": "disabled"}, spec: n: 1}
			secret: {apiVersion: "v1", kind: "Secret", metadata: name: "s"}
		`, kind)},
	}))
	defer func() {
		if err := w.deleteAll(req.Files); err != nil {
			t.Error(err)
		}
	}()
	var shown []string
	req.Apply.Show = func(_ context.Context, differences []instance.Difference) error {
		for _, d := range differences {
			shown = append(shown, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Name, d.Action, d.Reason)))
		}
		return nil
	}
	w.apply(req)
	slices.Sort(shown)
	want := []string{
		`b deferred ValidatingAdmissionPolicy/` + w.ns + ` is changed by instance "a"`,
		`one deferred CustomResourceDefinition/things.` + kind + `.example.com is changed by instance "a"`,
		"s created", "things." + kind + ".example.com created", w.ns + " created",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

// TestApplyAtOnce holds that instances which do not depend on each other are
// applied at the same time, and those that do after each other.
func TestApplyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, objects: []string{"a=1"}},
		"b": {namespace: w.more, objects: []string{"b=1"}},
		"c": {namespace: w.ns, objects: []string{"c=1"}, after: []string{"a"}},
	}))
	rule, err := ready.ParseWaitRule("ConfigMap/a=jsonpath={.data.go}=yes")
	if err != nil {
		t.Fatal(err)
	}
	req.Apply.WaitFor = []ready.WaitRule{rule}
	var order []string
	var edits sync.WaitGroup
	observer := event.Func(func(e event.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		within, _ := e.(event.Within)
		if applied, ok := within.Event.(event.Applied); ok {
			order = append(order, applied.Object.Name)
			if within.Name != applied.Object.Name || within.Alone {
				t.Errorf("%s is said to be of %+v", applied.Object, within)
			}
			if len(order) == 2 { // a waits until b is applied, too
				edits.Go(func() { w.edit(w.ns, "a", map[string]any{"key": "1", "go": "yes"}) })
			}
		}
	})
	if _, err = fleet.Apply(t.Context(), w.site(), req, observer); err != nil {
		t.Fatal(err)
	}
	edits.Wait()
	if len(order) != 3 || order[2] != "c" {
		t.Errorf("applied in the order %q", order)
	}
}

// TestKindOfAnotherInstance holds that an instance which is not said to depend on
// the one that brings a kind is refused, and told how to say it.
func TestKindOfAnotherInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := fleet.Apply(t.Context(), w.site(), request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, more: fmt.Sprintf(`thing: {apiVersion: "%s.example.com/v1", kind: "Thing", metadata: name: "one"}
		`, w.ns)},
		"b": {namespace: w.ns, more: fmt.Sprintf(`crd: {apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: name: "things.%[1]s.example.com", spec: {
			group: "%[1]s.example.com", scope: "Namespaced", names: {kind: "Thing", plural: "things"}
			versions: [{name: "v1", served: true, storage: true, schema: openAPIV3Schema: {type: "object"}}]
		}}
		`, w.ns)},
	})), w.observer())
	if hints := fail.HintsOf(err); !slices.Contains(hints, `instance "b" brings the kind: give instance "a" dependsOn: ["b"]`) {
		t.Errorf("error %v, hints %q", err, hints)
	}
}

// TestSharedObject holds that an object which two instances render is refused
// before anything is written, with the names of both; a kind that two instances
// of one module bring is not.
func TestSharedObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	crd := fmt.Sprintf(`crd: {apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: name: "things.%[1]s.example.com", spec: {
		group: "%[1]s.example.com", scope: "Namespaced", names: {kind: "Thing", plural: "things"}
		versions: [{name: "v1", served: true, storage: true, schema: openAPIV3Schema: {type: "object"}}]
	}}
	`, w.ns)
	_, err := fleet.Apply(t.Context(), w.site(), request(w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, objects: []string{"x=1"}}, "b": {namespace: w.ns, objects: []string{"x=2"}},
	})), w.observer())
	shared, ok := errors.AsType[*fleet.SharedError](err)
	if !ok || shared.First != "a" || shared.Second != "b" || shared.Object.Name != "x" {
		t.Errorf("error %v", err)
	}
	if got := w.configMaps(w.ns); len(got) > 0 {
		t.Errorf("written: %v", got)
	}
	files := w.bundle("shop", map[string]one{
		"a": {namespace: w.ns, more: crd, objects: []string{"x=1"}}, "b": {namespace: w.more, more: crd, objects: []string{"x=1"}},
	})
	w.apply(request(files))
	if err = w.deleteAll(files); err != nil {
		t.Error(err)
	}
}
