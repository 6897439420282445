// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/teardown"
)

// TestSharedSinceThePlan holds S42 for an instance that begins to share a
// definition when a delete of the owner has been planned: it is kept.
func TestSharedSinceThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := w.ns + ".example.com"
	definition := strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`, "GROUP", group)
	widget := "apiVersion: " + group + "/v1\nkind: Widget\nmetadata: {name: precious, annotations: {action.timoni.sh/wait: disabled}}\n"
	w.apply(w.request(definition))
	user := w.request(definition, widget)
	user.Instance.Metadata.Name = "user"

	proxy := w.cp.Proxy(t)
	owner := w.through(proxy)
	var once sync.Once
	proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/secrets/timoni.app") {
			once.Do(func() { w.apply(user) }) // the delete of the owner is planned
		}
		forward.ServeHTTP(rw, r)
	})
	if err := owner.delete(teardown.Options{Also: kinds.Unprotected{CRDs: true}}); err != nil {
		t.Fatal(err)
	}
	if w.live(group+"/v1", "Widget", "precious") == nil {
		t.Error("the object of the user went with the definition")
	}
	w.apply(user)
	record, err := w.engine.Store.Get(t.Context(), w.ns, "user")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.deleter().Delete(t.Context(), record, teardown.Options{Also: kinds.Unprotected{CRDs: true}}); err != nil {
		t.Fatal(err)
	}
}
