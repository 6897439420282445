// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
)

// node makes a node whose kubelet is a server of the test that has a log for
// every container, except of pods named broken and forbidden, and returns its name.
func (w *world) node() string {
	w.t.Helper()
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/broken/"):
			http.Error(rw, "disk full", http.StatusInternalServerError)
			return
		case strings.Contains(r.URL.Path, "/forbidden/"):
			http.Error(rw, "no", http.StatusForbidden)
			return
		}
		fmt.Fprint(rw, "starting\nno such database\n")
	}))
	w.t.Cleanup(kubelet.Close)
	_, port, err := net.SplitHostPort(kubelet.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	name := w.ns + "-node"
	w.kubectl("apiVersion: v1\nkind: Node\nmetadata: {name: "+name+"}\nspec: {unschedulable: true}\n", "create", "-f", "-")
	w.t.Cleanup(func() { w.kubectl("", "delete", "node", name) })
	w.kubectl("", "wait", "--for=condition=Ready", "node/"+name) // kwok has set its status
	w.kubectl("", "patch", "node", name, "--subresource=status", `-p={"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":`+port+`}}}}`)
	return name
}
