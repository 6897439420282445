// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

const strangers = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: theirs, meta.helm.sh/release-namespace: NS}
data: {key: theirs}
`

// isApply says whether a request applies the object, and not in a dry run.
func isApply(r *http.Request, name string) bool {
	return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/"+name) && !r.URL.Query().Has("dryRun")
}

// TestStrangerBetweenPlanAndWrite holds S27: an object that another client
// creates after the dry run is not taken over, on creation and on recreation.
func TestStrangerBetweenPlanAndWrite(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string][]api.Target{"create": nil, "recreate": {target(t, "ConfigMap/a")}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if replace != nil {
				w.apply(w.request(configMap("a", "ours")))
			}
			var once sync.Once
			proxy := w.cp.Proxy(t)
			client := w.through(proxy)
			proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
				if isApply(r, "a") {
					once.Do(func() { w.create(strangers) })
				}
				forward.ServeHTTP(rw, r)
			})
			req := client.request(configMap("a", "new"))
			req.Replace = replace
			_, err := client.engine.Apply(t.Context(), req)
			if codeOf(err) != fail.Refused || !strings.Contains(fmt.Sprint(err), "belongs to Helm release "+w.ns+"/theirs") {
				t.Errorf("error %v", err)
			}
			if lost := strings.Contains(fmt.Sprint(err), "is deleted, and another client has created this one"); lost != (replace != nil) {
				t.Errorf("error %v", err)
			}
			w.wantTheirs()
			w.clean()
			w.wantTheirs()
		})
	}
}

// wantTheirs holds that the stranger's object is as the stranger made it.
func (w *world) wantTheirs() {
	w.t.Helper()
	live := w.live("v1", "ConfigMap", "a")
	if value, _, _ := nested(live, "data", "key"); value != "theirs" || live.Label(api.LabelInstanceName) != "" {
		w.t.Errorf("the stranger's object is %v", live)
	}
}

// TestServerThatIgnoresTheVersion holds S27 on a server that takes an apply with
// a resourceVersion that no object has for one without: what exists in the dry
// run is treated as existing, what the write meets is an error that says so.
func TestServerThatIgnoresTheVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxy := w.cp.Proxy(t)
	client := w.through(proxy)
	var before func()
	proxy.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if isApply(r, "a") && before != nil {
			before()
		}
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body)
			body = bytes.ReplaceAll(body, []byte(`"resourceVersion":"1"`), []byte(`"resourceVersion":""`))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		forward.ServeHTTP(rw, r)
	})
	w.create(strangers)
	_, err := client.engine.Apply(t.Context(), client.request(configMap("a", "ours")))
	if codeOf(err) != fail.Refused || !strings.Contains(fmt.Sprint(err), "belongs to Helm release") {
		t.Errorf("an object that exists in the dry run: error %v", err)
	}
	w.wantTheirs()
	w.kubectl("", "delete", "configmap", "a")

	before = func() { before = nil; w.create(strangers) }
	_, err = client.engine.Apply(t.Context(), client.request(configMap("a", "ours")))
	if _, ok := errors.AsType[*kube.OverwrittenError](err); !ok || codeOf(err) != fail.Failed {
		t.Errorf("an object that the write meets: error %v", err)
	}
}

// TestTwoInstancesRaceForOneObject holds S27 between two instances that render
// an object of the same name at once: one has it, the other is refused.
func TestTwoInstancesRaceForOneObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 30 {
		var group sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			group.Go(func() { errs[i] = w.race(fmt.Sprint("racer-", i), fmt.Sprint("prize-", round)) })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case codeOf(err) != fail.Refused || !strings.Contains(err.Error(), "belongs to instance"):
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d of two instances have one object: %v", round, won, errors.Join(errs...))
		}
	}
}

func (w *world) race(instance, name string) error {
	req := w.request(configMap(name, instance))
	req.Instance.Metadata.Name, req.NoWait, req.Timeout = instance+"-"+name, true, time.Minute
	_, err := w.engine.Apply(context.WithoutCancel(w.t.Context()), req)
	return err
}
