// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// TestDeviation holds S26: a write that takes fields back, and whose result is
// not what the plan showed, is an error that names the fields.
func TestDeviation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxy := w.cp.Proxy(t)
	client := w.through(proxy)
	client.apply(client.request(configMap("a", "x")))
	w.kubectl("", "patch", "configmap", "a", "-p", `{"data":{"theirs":"y"}}`)
	proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if isApply(r, "a") && strings.Contains(r.Header.Get("Content-Type"), "apply") {
			body, _ := io.ReadAll(r.Body)
			changed := strings.Replace(string(body), `"key":"new"`, `"key":"other"`, 1)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		}
		forward.ServeHTTP(rw, r)
	})
	_, err := client.engine.Apply(t.Context(), client.request(configMap("a", "new")))
	deviation, ok := errors.AsType[*apply.DeviationError](err)
	if !ok || codeOf(err) != fail.Failed || !slices.Equal(deviation.Fields, []string{".data.key"}) {
		t.Errorf("error %v", err)
	}
	proxy.Intercept(nil)
	w.want(client.apply(client.request(configMap("a", "new"))), "configured ConfigMap/a")
}
