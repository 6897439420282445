// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/kubeflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// world is two namespaces of the control plane, and a client.
type world struct {
	t        *testing.T
	cp       *kit.ControlPlane
	ns, more string // namespaces
	client   *kube.Client

	mu     sync.Mutex
	events []event.Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := kit.ForTest(t)
	w := &world{t: t, cp: cp, ns: cp.Namespace(t)}
	w.more = w.ns + "-more"
	w.namespace(w.more)
	kubeconfig, err := cp.User(w.ns)
	if err != nil {
		t.Fatal(err)
	}
	w.as(kubeconfig)
	return w
}

// namespace creates a namespace that is removed with the test.
func (w *world) namespace(name string) {
	w.t.Helper()
	if err := w.cp.CreateNamespace(w.t.Context(), name); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.cp.ReleaseNamespace(context.Background(), name); err != nil {
			w.t.Error(err)
		}
	})
}

// as makes the client that of a kubeconfig.
func (w *world) as(kubeconfig []byte) {
	w.t.Helper()
	dir := fixture.Shared(w.t)
	path := fixture.Write(w.t, filepath.Join(dir, "kubeconfig"), kubeconfig)
	flags, fs := kubeflag.NewFlags(), pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddTo(fs)
	err := fs.Parse([]string{"--kubeconfig", path, "--cache-dir", filepath.Join(dir, "cache")})
	if err == nil {
		w.client, err = flags.Connect("test", event.Discard())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// observer keeps the events.
func (w *world) observer() event.Observer {
	return event.Func(func(e event.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
}

// one is an instance of a bundle of a test: its namespace, what it depends on,
// and its objects, ConfigMaps as NAME=VALUE.
type one struct {
	namespace string
	after     []string
	objects   []string
	more      string // objects in CUE, each as a field
}

// bundle returns the file of a bundle, whose instances are in the order of their
// names.
func (w *world) bundle(name string, instances map[string]one) []cuefile.File {
	var text strings.Builder
	fmt.Fprintf(&text, "bundle: {\n\tapiVersion: \"v1alpha1\"\n\tname: %q\n\tinstances: {\n", name)
	for _, key := range sorted(instances) {
		in := instances[key]
		fmt.Fprintf(&text, "\t\t%q: {\n\t\t\tmodule: url: \"file://../../../../test/modules/raw\"\n\t\t\tnamespace: %q\n", key, in.namespace)
		if in.after != nil {
			fmt.Fprintf(&text, "\t\t\tdependsOn: [\"%s\"]\n", strings.Join(in.after, `", "`))
		}
		fmt.Fprint(&text, "\t\t\tvalues: stages: app: {\n")
		for _, o := range in.objects {
			name, value, _ := strings.Cut(o, "=")
			fmt.Fprintf(&text, "\t\t\t\t%q: {apiVersion: \"v1\", kind: \"ConfigMap\", metadata: name: %q, data: key: %q}\n", name, name, value)
		}
		fmt.Fprintf(&text, "%s\t\t\t}\n\t\t}\n", in.more)
	}
	text.WriteString("\t}\n}\n")
	return []cuefile.File{{Name: "bundle.cue", Format: cuefile.FormatOf("bundle.cue"), Data: []byte(text.String())}}
}

func sorted(instances map[string]one) []string {
	var names []string
	for name := range instances {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// holder is that of a process which is dead by the time another one looks.
func holder() store.Holder {
	return store.Holder{Machine: "test", Pid: 1, Alive: func(int) bool { return false }}
}

func (w *world) site() fleet.Site { return fleet.Site{Client: w.client, Alone: true} }

func request(files []cuefile.File) fleet.ApplyRequest {
	return fleet.ApplyRequest{
		Request: fleet.Request{Files: files},
		Apply:   deploy.ApplyRequest{Options: apply.Options{Timeout: 20 * time.Second, HistoryLimit: apply.NoHistory, Holder: holder()}},
	}
}

// apply applies a bundle, which must succeed.
func (w *world) apply(req fleet.ApplyRequest) *fleet.Applied {
	w.t.Helper()
	applied, err := fleet.Apply(w.t.Context(), w.site(), req, w.observer())
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	return applied
}

// delete deletes a bundle.
func (w *world) delete(ctx context.Context, files []cuefile.File, prune bool) error {
	return fleet.Delete(ctx, w.site(), fleet.DeleteRequest{
		Target: fleet.Target{Request: fleet.Request{Files: files}}, PruneInstances: prune,
		Delete: instance.DeleteRequest{Timeout: 20 * time.Second, Holder: holder()},
	}, w.observer(), func(fleet.Deleted) error { return nil })
}

// deleteAll deletes a bundle with the kinds that it brought.
func (w *world) deleteAll(files []cuefile.File) error {
	return fleet.Delete(context.Background(), w.site(), fleet.DeleteRequest{
		Target: fleet.Target{Request: fleet.Request{Files: files}},
		Delete: instance.DeleteRequest{Timeout: 20 * time.Second, Holder: holder(), Also: kinds.Unprotected{CRDs: true}},
	}, event.Discard(), func(fleet.Deleted) error { return nil })
}

// configMap returns the value of a ConfigMap, empty when there is none.
func (w *world) configMap(namespace, name string) string {
	w.t.Helper()
	for key, value := range w.configMaps(namespace) {
		if key == name {
			return value
		}
	}
	return ""
}

// configMaps returns the values of the ConfigMaps of a namespace.
func (w *world) configMaps(namespace string) map[string]string {
	w.t.Helper()
	list, _, err := w.client.List(context.Background(), kube.ConfigMaps(), namespace, kube.Selector{})
	if err != nil {
		w.t.Fatal(err)
	}
	values := map[string]string{}
	for _, o := range list {
		if o.Name() != "kube-root-ca.crt" {
			data, _ := o["data"].(map[string]any)
			values[o.Name()], _ = data["key"].(string)
		}
	}
	return values
}

// edit changes a ConfigMap as another client.
func (w *world) edit(namespace, name string, data map[string]any) {
	w.t.Helper()
	o, err := w.client.Get(context.Background(), kube.ConfigMaps(), namespace, name)
	if err == nil {
		o["data"] = data
		_, err = w.client.WithFieldManager("kubectl-edit").Update(context.Background(), kube.ConfigMaps(), o)
	}
	if err != nil {
		w.t.Error(err)
	}
}

// requests returns the requests of the user since a mark, other than for
// discovery, as "VERB RESOURCE".
func (w *world) requests(since kit.Mark) []string {
	w.t.Helper()
	all, err := w.cp.Requests(since, w.ns)
	if err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for _, r := range all {
		texts = append(texts, r.String())
	}
	return texts
}

func (w *world) mark() kit.Mark {
	w.t.Helper()
	mark, err := w.cp.Mark()
	if err != nil {
		w.t.Fatal(err)
	}
	return mark
}
