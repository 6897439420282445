// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// object returns the object of a text in which NS stands for the namespace.
func (w *world) object(text string) api.Object {
	w.t.Helper()
	var o api.Object
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "NS", w.ns)), &o); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// createForeign creates an object that belongs to others, and deletes it with the test.
func (w *world) createForeign(r kube.Resource, text string) api.Object {
	w.t.Helper()
	o, err := w.client.Create(w.t.Context(), r, w.object(text), kube.Real)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		live, err := w.client.Get(context.Background(), r, o.Namespace(), o.Name())
		if err == nil {
			err = w.client.Delete(context.Background(), r, live)
		}
		if err != nil && !isNotFound(err) {
			w.t.Error(err)
		}
	})
	return o
}

func definitions() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		Kind:                 "CustomResourceDefinition",
	}
}

// serveWidgets has the server serve Widgets, in a group of the test's own,
// which another tool has installed.
func (w *world) serveWidgets() kube.Resource {
	w.t.Helper()
	w.createForeign(definitions(), definition("Widget"))
	widgets := w.customResource("widgets")
	widgets.Kind = "Widget"
	w.eventually(func() error {
		if _, _, err := w.client.List(w.t.Context(), widgets, w.ns, kube.Selector{}); err != nil {
			return err
		}
		_, err := w.client.Served(schema.GroupVersionKind{Group: widgets.Group, Version: "v1", Kind: "Widget"})
		return err
	})
	return widgets
}

// eventually polls until there is no error.
func (w *world) eventually(check func() error) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatal(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// groupDown makes the group of the test unreachable through the proxy, also for
// discovery, which then asks each group by itself: the one document that has all
// of them would still name the kind.
func (w *world) groupDown(proxy *kit.Proxy) {
	down := kit.Answer(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable)
	isOfGroup := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/apis/"+w.ns+".example.com") }
	proxy.Break(func(r *http.Request) bool {
		return isOfGroup(r) || r.URL.Path == "/api" || r.URL.Path == "/apis"
	}, func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if isOfGroup(r) {
			down(rw, r, forward)
			return
		}
		r.Header.Set("Accept", "application/json")
		forward.ServeHTTP(rw, r)
	})
}

// caches are the states that the discovery cache may be in when a group goes
// down.
func caches() map[string]bool { return map[string]bool{"cold cache": false, "warm cache": true} }

// TestKindOfGroupThatIsDown holds that a kind is not called unknown when its API
// group does not answer.
func TestKindOfGroupThatIsDown(t *testing.T) {
	t.Parallel()
	for name, warm := range caches() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serveWidgets()
			proxy := w.cp.Proxy(t)
			client := w.throughCold(proxy)
			if warm {
				resource(t, client, w.ns+".example.com/v1", "Widget")
			}
			w.groupDown(proxy)
			_, err := client.engine.Apply(t.Context(), client.request(custom("Widget", "a")))
			if err == nil || kube.IsUnknownKind(err) || strings.Contains(err.Error(), "has no kind") {
				t.Errorf("error %v, want one that says that the group does not answer", err)
			}
		})
	}
}

// TestNamespaceOfGroupThatIsDown holds that a namespace is kept when an API
// group does not say what is in it.
func TestNamespaceOfGroupThatIsDown(t *testing.T) {
	t.Parallel()
	for name, warm := range caches() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			widgets := w.serveWidgets()
			space := "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-extra}\n"
			w.apply(w.request(configMap("a", "x") + "---\n" + space))
			w.createForeign(widgets, custom("Widget", "foreign, namespace: NS-extra"))
			proxy := w.cp.Proxy(t)
			client := w.throughCold(proxy)
			if warm {
				resource(t, client, w.ns+".example.com/v1", "Widget")
			}
			w.groupDown(proxy)
			prune := client.request(configMap("a", "x"))
			prune.PruneAlso = kinds.Unprotected{Namespaces: true}
			_, err := client.engine.Apply(t.Context(), prune)
			if codeOf(err) != fail.Failed || !strings.Contains(fmt.Sprint(err), "kept until the server answers") || !client.warned("Namespace/"+w.ns+"-extra is kept") {
				t.Errorf("error %v, events %v", err, client.events)
			}
			if o := w.live("v1", "Namespace", w.ns+"-extra"); o == nil || deletes(o) {
				t.Error("the namespace was deleted")
			}
			proxy.Intercept(nil)
			if _, err = client.engine.Apply(t.Context(), prune); err != nil {
				t.Errorf("with the group back: %v", err)
			}
			if o := w.live("v1", "Namespace", w.ns+"-extra"); o == nil || deletes(o) {
				t.Error("the namespace was deleted with what it holds")
			}
		})
	}
}

func deletes(o api.Object) bool {
	_, found, _ := nested(o, "metadata", "deletionTimestamp")
	return found
}

// TestObjectsOfGroupThatIsDown holds that recorded objects of a group that is
// down stay recorded until they are known to be gone.
func TestObjectsOfGroupThatIsDown(t *testing.T) {
	t.Parallel()
	for name, warm := range caches() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			widgets := w.serveWidgets()
			w.apply(w.request(configMap("a", "x")+"---\n"+configMap("b", "x"), custom("Widget", "one")))
			proxy := w.cp.Proxy(t)
			client := w.throughCold(proxy)
			if warm {
				resource(t, client, w.ns+".example.com/v1", "Widget")
			}
			w.groupDown(proxy)
			_, err := client.engine.Apply(t.Context(), client.request(configMap("a", "x")))
			if codeOf(err) != fail.Failed || !client.warned("Widget/"+w.ns+"/one is kept") {
				t.Errorf("upgrade: error %v, events %v", err, client.events)
			}
			if w.live("v1", "ConfigMap", "b") != nil {
				t.Error("what is known was not pruned")
			}
			w.wantRecorded("one")
			if err := client.delete(teardown.Options{Timeout: 20 * time.Second}); codeOf(err) != fail.Failed {
				t.Errorf("delete: error %v", err)
			}
			w.wantRecorded("one")
			proxy.Intercept(nil)
			if err := client.delete(teardown.Options{Timeout: 20 * time.Second}); err != nil {
				t.Errorf("with the group back: %v", err)
			}
			if _, err := w.client.Get(t.Context(), widgets, w.ns, "one"); !isNotFound(err) {
				t.Errorf("the object is left: %v", err)
			}
		})
	}
}

// wantRecorded checks that the record names an object.
func (w *world) wantRecorded(name string) {
	w.t.Helper()
	record, err := w.engine.Store.Get(w.t.Context(), w.ns, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	if !slices.ContainsFunc(record.Inventory(), func(e api.Entry) bool { return strings.Contains(e.ID, "_"+name+"_") }) {
		w.t.Errorf("the record does not name %q: %v", name, record.Inventory())
	}
}

// TestDeleteTwiceAtOnce holds that what is gone is gone: two deletes at once,
// which delete the kinds of each other's objects, both succeed.
func TestDeleteTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := w.request(customRevision(2)...)
	req.Instance.Module.Name = "timoni.sh/" + w.ns
	w.apply(req)
	record, err := w.engine.Store.Get(t.Context(), w.ns, "app")
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for i := range 3 {
		both.Go(func() {
			_, err := w.deleter().Delete(t.Context(), record, teardown.Options{
				Timeout: time.Minute, Also: kinds.Unprotected{CRDs: true},
			})
			if err != nil {
				t.Errorf("delete %d: %v", i, err)
			}
		})
	}
	both.Wait()
	if state := w.state(); len(state) != 1 {
		t.Errorf("left: %v", state)
	}
}

// TestAnswerThatIsNoObject holds that a 200 with anything but a Kubernetes
// object is an error: whatever is deleted is still there.
func TestAnswerThatIsNoObject(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"page": "<html>ok</html>", "empty": "", "JSON": "{}", "failure": `{"kind":"Status","apiVersion":"v1","status":"Failure"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.apply(w.request(configMap("a", "x")))
			proxy := w.cp.Proxy(t)
			client := w.through(proxy)
			for _, path := range []string{"/secrets/timoni.app", "/configmaps/a"} {
				proxy.Break(func(r *http.Request) bool {
					return r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, path)
				}, func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
					rw.Header().Set("Content-Type", "application/json")
					fmt.Fprint(rw, body)
				})
				if err := client.delete(teardown.Options{NoWait: true}); codeOf(err) != fail.Failed {
					t.Errorf("%s: error %v", path, err)
				}
				if w.live("v1", "Secret", "timoni.app") == nil {
					t.Errorf("%s: the record is gone", path)
				}
				w.apply(w.request(configMap("a", "x")))
			}
		})
	}
}

// TestListThatIsNoList holds that an answer to a LIST that is no list does not
// stand for an empty one.
func TestListThatIsNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(w.request(configMap("a", "x")))
	proxy := w.cp.Proxy(t)
	client := w.through(proxy)
	proxy.Break(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/configmaps") },
		func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
			rw.Header().Set("Content-Type", "application/json")
			fmt.Fprint(rw, `{"kind":"Status","apiVersion":"v1","status":"Success"}`)
		})
	if err := client.delete(teardown.Options{NoWait: true}); err == nil || !strings.Contains(err.Error(), "expected a list") {
		t.Errorf("error %v", err)
	}
	if w.live("v1", "ConfigMap", "a") == nil || w.live("v1", "Secret", "timoni.app") == nil {
		t.Error("the object or the record is gone")
	}
}
