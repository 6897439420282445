// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// truthSeed is the seed of the first sequence of TestPlanIsWhatHappens: the
// same ones are run every time. -seed names another, to look for more.
const truthSeed = 26

// truthSequences is how many there are.
const truthSequences = 500

// TestPlanIsWhatHappens holds S26 for random live states and random changes of a
// module: the object after an apply is the one that the plan showed, a plan that
// shows no change writes nothing, and two plans in a row show the same (S121).
// Sequence n of seed s is sequence 0 of seed s+n: go test ./pkg/internal/test/model -run TestPlanIsWhatHappens -seed S -sequences 1.
func TestPlanIsWhatHappens(t *testing.T) {
	first, count := uint64(truthSeed), truthSequences
	if *seed != 0 {
		first, count = *seed, *sequences
	}
	t.Logf("seeds %d to %d", first, first+uint64(count)-1)
	w := newWorld(t)
	seeds := make(chan uint64, count)
	for n := range count {
		seeds <- first + uint64(n)
	}
	close(seeds)
	var group sync.WaitGroup
	for n := range *workers {
		u := w.user(t, fmt.Sprintf("truth-%d", n))
		group.Go(func() {
			for s := range seeds {
				if err := u.truth(t.Context(), s); err != nil {
					t.Errorf("seed %d: %v", s, err)
				}
			}
		})
	}
	group.Wait()
}

// truth makes an object with a name of its own, changes it in random ways, and
// applies random modules over it.
func (u *user) truth(ctx context.Context, seed uint64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	random := rand.New(rand.NewPCG(seed, 1))
	name := fmt.Sprint("t", seed)
	kind := truthKinds()[random.IntN(len(truthKinds()))]
	r := u.other.Resource(kind.resource).Namespace(u.ns)
	engine := apply.New(u.client, event.Discard())
	var done []string
	defer func() { _ = r.Delete(context.WithoutCancel(ctx), name, metav1.DeleteOptions{}) }()
	if random.IntN(3) > 0 { // else it begins as another client's
		done = append(done, "apply")
		if err := u.asShown(ctx, engine, r, kind.module(random, name)); err != nil {
			return err
		}
	}
	for range 1 + random.IntN(3) {
		for range 1 + random.IntN(2) {
			said, err := kind.disturb(ctx, random, r, name)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", strings.Join(done, ", "), said, err)
			}
			done = append(done, said)
		}
		done = append(done, "apply")
		if err := u.asShown(ctx, engine, r, kind.module(random, name)); err != nil {
			return fmt.Errorf("%s %s: %w", kind.resource.Resource, strings.Join(done, ", "), err)
		}
	}
	return nil
}

// asShown applies an object, and returns how what the server has then differs
// from what the plan showed.
func (u *user) asShown(ctx context.Context, engine *apply.Engine, r dynamic.ResourceInterface, o api.Object) error {
	req := apply.Request{
		Instance: api.Instance{Kind: api.KindInstance, APIVersion: api.APIVersion, Metadata: api.Metadata{Name: o.Name(), Namespace: u.ns}},
		Stages:   []apply.Stage{{Name: "main", Objects: []api.Object{o}}},
		Options:  apply.Options{Adopt: apply.AdoptAll, ForceConflicts: true, NoWait: true, Holder: holder()},
	}
	if err := isSteady(ctx, engine, req); err != nil {
		return err
	}
	var before, shown api.Object
	req.Review = func(_ context.Context, plan *apply.Plan) error {
		before, shown = plan.Steps[0].States()
		return nil
	}
	plan, err := engine.Apply(ctx, req)
	if err != nil {
		return err
	}
	live, err := r.Get(ctx, o.Name(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	changes := slices.DeleteFunc(delta.Compare(shown, live.Object), func(c delta.Change) bool {
		// A dry run allocates no address: the plan shows a placeholder.
		return before == nil && strings.HasPrefix(c.Path, ".spec.clusterIP")
	})
	if len(changes) > 0 {
		return fmt.Errorf("%s, but not as the plan showed: %v", plan.Steps[0].Action, changes)
	}
	if plan.Steps[0].Action == event.Unchanged && kube.ResourceVersion(before) != live.GetResourceVersion() {
		return fmt.Errorf("the plan shows no change, and the object has another version")
	}
	return nil
}

// isSteady returns how two plans that are made one after the other differ: a plan
// that is kept has to fit to the cluster as long as nothing happens in it.
func isSteady(ctx context.Context, engine *apply.Engine, req apply.Request) error {
	first, err := engine.Plan(ctx, req)
	if err != nil {
		return err
	}
	second, err := engine.Plan(ctx, req)
	if err != nil {
		return err
	}
	later := second.Shown()
	for i, s := range first.Shown() {
		if text := s.Differs(later[i]); text != "" {
			return fmt.Errorf("%s: a second plan differs: %s", s.Object, text)
		}
	}
	return nil
}

// truthKind is a kind of objects, random ones of it, and what others do to them.
type truthKind struct {
	resource schema.GroupVersionResource
	module   func(random *rand.Rand, name string) api.Object
	patches  []string // of what people and controllers change, and add
}

// truthKinds returns the kinds. Nothing acts on them: the Deployment is paused
// and has no replicas that a node would have to run.
func truthKinds() []truthKind {
	return []truthKind{{
		schema.GroupVersionResource{Version: "v1", Resource: "configmaps"},
		func(random *rand.Rand, name string) api.Object {
			return truthObject(random, "v1", "ConfigMap", name, map[string]any{"data": some(random, "a", "b", "c")})
		},
		[]string{`{"data":{"a":"edited"}}`, `{"data":{"added":"x","b":"edited"}}`, `{"data":null}`},
	}, {
		schema.GroupVersionResource{Version: "v1", Resource: "services"},
		func(random *rand.Rand, name string) api.Object {
			ports := []any{map[string]any{"name": "a", "port": int64(80)}}
			if random.IntN(2) == 0 {
				ports = append(ports, map[string]any{"name": "b", "port": int64(81), "targetPort": int64(8080)})
			}
			return truthObject(random, "v1", "Service", name, map[string]any{"spec": map[string]any{"ports": ports, "selector": some(random, "s", "u")}})
		},
		[]string{`{"spec":{"sessionAffinity":"ClientIP"}}`, `{"spec":{"selector":{"added":"x"}}}`,
			`{"spec":{"ports":[{"name":"a","port":80},{"name":"z","port":99,"protocol":"TCP"}]}}`},
	}, {
		schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"},
		truthDeployment,
		[]string{
			`{"spec":{"minReadySeconds":3}}`, `{"spec":{"template":{"metadata":{"annotations":{"added":"x"}}}}}`,
			`{"spec":{"template":{"spec":{"tolerations":[{"key":"k","operator":"Exists"}]}}}}`,
			`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1","env":[{"name":"ADDED","value":"x"},{"name":"E","value":"edited"}]}]}}}}`,
			`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1","livenessProbe":{"httpGet":{"port":80}}}]}}}}`,
			`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1"},{"name":"sidecar","image":"s:1"}]}}}}`,
			`{"spec":{"template":{"spec":{"securityContext":{"runAsUser":7}}}}}`,
		},
	}}
}

func truthDeployment(random *rand.Rand, name string) api.Object {
	container := map[string]any{"name": "c", "image": fmt.Sprint("c:", random.IntN(2))}
	if random.IntN(2) == 0 {
		container["env"] = []any{map[string]any{"name": "E", "value": fmt.Sprint(random.IntN(2))}}
	}
	if random.IntN(3) == 0 {
		container["resources"] = map[string]any{"requests": map[string]any{"cpu": "0.5"}}
	}
	return truthObject(random, "apps/v1", "Deployment", name, map[string]any{"spec": map[string]any{
		"replicas": int64(0), "paused": true,
		"selector": map[string]any{"matchLabels": map[string]any{"app": "x"}},
		"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": "x"}, "annotations": some(random, "n", "m")},
			"spec":     map[string]any{"containers": []any{container}},
		},
	}})
}

func truthObject(random *rand.Rand, apiVersion, kind, name string, rest map[string]any) api.Object {
	o := api.Object{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{
		"name": name, "labels": some(random, "l", "k"), "annotations": some(random, "n"),
	}}
	maps.Copy(o, rest)
	return o
}

// some returns random values for some of the keys.
func some(random *rand.Rand, keys ...string) map[string]any {
	values := map[string]any{}
	for _, key := range keys {
		if random.IntN(2) == 0 {
			values[key] = fmt.Sprint("v", random.IntN(2))
		}
	}
	return values
}

// disturb has another client create or change the object, and says which and
// how: kubectl in its ways, Helm, a controller, or another applier.
func (k truthKind) disturb(ctx context.Context, random *rand.Rand, r dynamic.ResourceInterface, name string) (string, error) {
	managers := []string{"kubectl-client-side-apply", "kubectl-edit", "kubectl-patch", "kubectl-set", "helm", "controller"}
	manager := managers[random.IntN(len(managers))]
	patch := k.patches[random.IntN(len(k.patches))]
	if _, err := r.Get(ctx, name, metav1.GetOptions{}); err != nil {
		_, err = r.Create(ctx, &unstructured.Unstructured{Object: k.module(random, name)}, metav1.CreateOptions{FieldManager: manager})
		return manager + " creates it", err
	}
	switch random.IntN(5) {
	case 0:
		return k.applied(ctx, random, r, name)
	case 1:
		patch = `{"metadata":{"labels":{"added":"x","l":"edited"}}}`
	case 2:
		patch = `{"metadata":{"annotations":{"added":"x"},"labels":{"k":null}}}`
	}
	_, err := r.Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager})
	return manager + " patches " + patch, err
}

// applied has another client apply an object of the module server-side.
func (k truthKind) applied(ctx context.Context, random *rand.Rand, r dynamic.ResourceInterface, name string) (string, error) {
	manager := []string{"kubectl", "operator"}[random.IntN(2)]
	text, err := json.Marshal(k.module(random, name))
	if err != nil {
		return "", err
	}
	force := true
	_, err = r.Patch(ctx, name, types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: manager, Force: &force})
	return manager + " applies " + string(text), err
}
