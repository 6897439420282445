// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/clusteradvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// world is the control plane, the two versions of the module in its registry,
// and a cache of them.
type world struct {
	cp      *kit.ControlPlane
	module  ref.Reference
	options oci.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := kit.ForTest(t)
	module, err := ref.Parse(fmt.Sprintf("oci://%s/model-%d", cp.Registry, time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cp: cp, module: module, options: oci.Options{Cache: cache.Cache{Dir: t.TempDir()}}}
	for version, extra := range map[string]string{
		"1.0.0": "",
		"2.0.0": `timoni: apply: versioned: [{
	apiVersion: "v1", kind: "ConfigMap", metadata: name: "version", data: key: "2"
}]
`,
	} {
		w.push(t, version, extra)
	}
	return w
}

// push pushes the module raw with a file more.
func (w *world) push(t *testing.T, version, extra string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "..", "..", "test", "modules", "raw"))); err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "extra.cue"), "package main\n\n"+extra)
	_, err := artifact.PushModule(t.Context(), artifact.PushModuleRequest{
		ModuleRequest: artifact.ModuleRequest{Source: dir, Version: version}, Target: w.module, OCI: w.options,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// user has a namespace for one sequence after the other.
type user struct {
	*world
	ns     string
	client *kube.Client
	other  dynamic.Interface // another client
}

func (w *world) user(t *testing.T, ns string) *user {
	t.Helper()
	if err := w.cp.CreateNamespace(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.cp.ReleaseNamespace(context.Background(), ns); err != nil {
			t.Error(err)
		}
	})
	u := &user{world: w, ns: ns}
	kubeconfig, err := w.cp.User(u.ns)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := fixture.Write(t, filepath.Join(dir, "kubeconfig"), kubeconfig)
	flags, fs := kubeflag.NewFlags(), pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(fs)
	if err = fs.Parse([]string{"--kubeconfig", file, "--cache-dir", filepath.Join(dir, "cache")}); err != nil {
		t.Fatal(err)
	}
	if u.client, err = flags.Connect("test", event.Discard()); err != nil {
		t.Fatal(err)
	}
	config, err := w.cp.REST()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	if u.other, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	return u
}

func holder() store.Holder {
	return store.Holder{Machine: "test", Pid: 1, Alive: func(int) bool { return false }}
}

func (u *user) request() deploy.ApplyRequest {
	return deploy.ApplyRequest{
		Request: build.Request{Name: "app", Namespace: u.ns, OCI: u.options},
		Options: apply.Options{Timeout: 30 * time.Second, Holder: holder(), HistoryLimit: 10},
	}
}

func (u *user) apply(ctx context.Context, r revision, adopt bool) error {
	req := u.request()
	var err error
	if req.Module, err = u.module.Select(r.version, ""); err != nil {
		return err
	}
	if adopt {
		req.Adopt = apply.AdoptAll
	}
	data, err := json.Marshal(map[string]any{"stages": stages(r.objects)})
	if err != nil {
		return err
	}
	req.Values = []values.Source{{Name: "values.json", Format: values.JSON, Data: data}}
	_, err = deploy.Apply(ctx, u.client, req, event.Discard())
	return err
}

// stages returns the values for the objects: Secrets after ConfigMaps.
func stages(objects map[string]object) map[string]map[string]any {
	stages := map[string]map[string]any{}
	for key, o := range objects {
		kind, name, _ := strings.Cut(key, "/")
		annotations := map[string]any{api.AnnotationForce: api.EnabledValue}
		if o.keep {
			annotations[api.AnnotationPrune] = api.DisabledValue
		}
		if o.oneOff {
			annotations[api.AnnotationOneOff] = api.EnabledValue
		}
		m := map[string]any{
			"apiVersion": "v1", "kind": kind,
			"metadata": map[string]any{"name": name, "annotations": annotations},
		}
		if o.immutable {
			m["immutable"] = true
		}
		m[map[string]string{"ConfigMap": "data", "Secret": "stringData"}[kind]] = map[string]any{"key": o.value}
		if stages[kind] == nil {
			stages[kind] = map[string]any{}
		}
		stages[kind][name] = m
	}
	return stages
}

func (u *user) rollback(ctx context.Context, to int) error {
	_, _, err := deploy.Rollback(ctx, u.client, u.request(), to, event.Discard())
	return err
}

func (u *user) delete(ctx context.Context) error {
	_, err := instance.Delete(ctx, u.client, instance.DeleteRequest{
		Key: instance.Key{Namespace: u.ns, Name: "app"}, Timeout: 30 * time.Second, Holder: holder(),
	}, event.Discard())
	return err
}

// errorKind says how a verb ended.
func errorKind(err error) outcome {
	switch {
	case err == nil:
		return succeeds
	case fail.CodeOf(fail.Advise(err, clusteradvice.For)) == fail.Refused:
		return refuses
	}
	return fails
}

// resource returns another client's view of the kind of a key, and its name.
func (u *user) resource(key string) (dynamic.ResourceInterface, string) {
	kind, name, _ := strings.Cut(key, "/")
	return u.other.Resource(schema.GroupVersionResource{Version: "v1", Resource: strings.ToLower(kind) + "s"}).Namespace(u.ns), name
}

// state returns what is in the cluster, as model.state does.
func (u *user) state(ctx context.Context) ([]string, error) {
	var lines []string
	err := u.objects(ctx, func(key string, o *unstructured.Unstructured) error {
		data, _, _ := unstructured.NestedStringMap(o.Object, "data")
		value := data["key"]
		if o.GetKind() == "Secret" {
			text, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				return err
			}
			value = string(text)
		}
		delete(data, "key")
		lines = append(lines, line(key, value, slices.Sorted(maps.Keys(data))))
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(lines)
	record, err := store.New(u.client).Get(ctx, u.ns, "app")
	if errors.Is(err, store.ErrNotFound) {
		return append(lines, "not installed"), nil
	}
	if err != nil {
		return nil, err
	}
	if record.Pending != nil || record.Deleting {
		lines = append(lines, "the last run did not end")
	}
	ledger, err := store.New(u.client).Ledger(ctx, u.ns, "app")
	if err != nil {
		return nil, err
	}
	var inventory []string
	for _, entry := range record.Inventory() {
		id, err := entry.Parse()
		if err != nil {
			return nil, err
		}
		inventory = append(inventory, id.Kind+"/"+id.Name)
	}
	slices.Sort(inventory)
	return append(lines, fmt.Sprintf("inventory %q, %d revisions", inventory, len(ledger.History))), nil
}

// objects calls do for each object that a module or a stranger has made.
func (u *user) objects(ctx context.Context, do func(key string, o *unstructured.Unstructured) error) error {
	for _, kind := range []string{"ConfigMap", "Secret"} {
		r, _ := u.resource(kind + "/")
		list, err := r.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, o := range list.Items {
			if o.GetName() == "kube-root-ca.crt" || strings.HasPrefix(o.GetName(), "timoni") {
				continue
			}
			if err := do(kind+"/"+o.GetName(), &o); err != nil {
				return err
			}
		}
	}
	return nil
}

// clear deletes the instance and everything that is left.
func (u *user) clear(ctx context.Context) error {
	err := u.delete(ctx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return u.objects(ctx, func(key string, _ *unstructured.Unstructured) error {
		r, name := u.resource(key)
		err := r.Delete(ctx, name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}
