// SPDX-License-Identifier: Apache-2.0

// Package cluster_test measures the verbs that talk to a cluster, as whole
// processes through kubectl: how soon they return and how many requests they
// make.
package cluster_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// BenchmarkApply applies the minimal module to a new namespace and then again.
// In addition to the times it reports, for the first apply, how long after the
// Deployment became Available it returned, and the requests of each.
func BenchmarkApply(b *testing.B) {
	w := newWorld(b)
	var after time.Duration
	var requests [2]int
	for i := 0; b.Loop(); i++ {
		ns := fmt.Sprintf("%s-%d-%d", "bench-apply", time.Now().Unix(), i)
		available := w.watchAvailable(ns)
		w.reset()
		w.timoni("apply", "app", w.module, "-n", ns, "-q")
		after += time.Since(<-available)
		requests[0] += w.count()
		w.reset()
		w.timoni("apply", "app", w.module, "-n", ns, "-q")
		requests[1] += w.count()
	}
	n := float64(b.N)
	b.ReportMetric(float64(after.Milliseconds())/n, "ms-after-available")
	b.ReportMetric(float64(requests[0])/n, "requests/install")
	b.ReportMetric(float64(requests[1])/n, "requests/unchanged")
}

// world is a user of the control plane with the built plugins on PATH.
type world struct {
	b      *testing.B
	cp     *kit.ControlPlane
	env    []string
	module string
	client dynamic.Interface
	mark   kit.Mark
}

const user = "bench"

func newWorld(b *testing.B) *world {
	b.Helper()
	cp := kit.ForTest(b)
	root, err := controlplane.Root()
	if err != nil {
		b.Fatal(err)
	}
	kubeconfig, err := cp.User(user)
	if err != nil {
		b.Fatal(err)
	}
	home := b.TempDir()
	path := fixture.Write(b, filepath.Join(home, "kubeconfig"), kubeconfig)
	config, err := cp.REST()
	if err != nil {
		b.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	bin := strings.Join([]string{filepath.Join(root, "bin"), filepath.Dir(cp.Kubectl), os.Getenv("PATH")}, string(os.PathListSeparator))
	return &world{
		b: b, cp: cp, client: client, module: filepath.Join(root, "test", "modules", "minimal"),
		env: append(os.Environ(), "HOME="+home, "KUBECONFIG="+path, "PATH="+bin, "TIMONI_RENDER_CACHE=off"),
	}
}

// timoni runs a verb through kubectl.
func (w *world) timoni(args ...string) *os.ProcessState {
	w.b.Helper()
	return w.run(w.cp.Kubectl, append([]string{"timoni"}, args...)...)
}

func (w *world) run(program string, args ...string) *os.ProcessState {
	w.b.Helper()
	cmd := exec.CommandContext(w.b.Context(), program, args...)
	cmd.Env = w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		w.b.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return cmd.ProcessState
}

// space creates a namespace for one round, and forgets it: it goes with the
// control plane.
func (w *world) space(prefix string) string {
	w.b.Helper()
	ns := fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano())
	if err := w.cp.CreateNamespace(w.b.Context(), ns); err != nil {
		w.b.Fatal(err)
	}
	return ns
}

// meter adds up what each step of a benchmark costs.
type meter struct {
	w        *world
	names    []string
	requests map[string]int
	took     map[string]time.Duration
}

func newMeter(w *world) *meter {
	return &meter{w: w, requests: map[string]int{}, took: map[string]time.Duration{}}
}

// measure carries a step out and adds to its figures.
func (m *meter) measure(name string, step func()) {
	if _, known := m.took[name]; !known {
		m.names = append(m.names, name)
	}
	m.w.reset()
	started := time.Now()
	step()
	m.took[name] += time.Since(started)
	m.requests[name] += m.w.count()
}

// report says what a step cost on average.
func (m *meter) report() {
	for _, name := range m.names {
		m.w.b.ReportMetric(float64(m.requests[name])/float64(m.w.b.N), "requests/"+name)
	}
	m.reportTimes(m.w.b)
}

// reportTimes says how long a step took on average: it is for requests that are
// not in the audit log.
func (m *meter) reportTimes(b *testing.B) {
	b.Helper()
	for _, name := range m.names {
		b.ReportMetric(float64(m.took[name].Milliseconds())/float64(b.N), "ms/"+name)
	}
}

// watchAvailable returns a channel with the moment at which the Deployment of
// a namespace became Available.
func (w *world) watchAvailable(ns string) <-chan time.Time {
	w.b.Helper()
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	watch, err := w.client.Resource(deployments).Namespace(ns).Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		w.b.Fatal(err)
	}
	moment := make(chan time.Time, 1)
	go func() {
		defer watch.Stop()
		for e := range watch.ResultChan() {
			if o, ok := e.Object.(*unstructured.Unstructured); ok && isAvailable(o) {
				moment <- time.Now()
				return
			}
		}
	}()
	return moment
}

func isAvailable(o *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] == "Available" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

func (w *world) reset() {
	w.b.Helper()
	mark, err := w.cp.Mark()
	if err != nil {
		w.b.Fatal(err)
	}
	w.mark = mark
}

func (w *world) count() int {
	w.b.Helper()
	requests, err := w.cp.Requests(w.mark, user)
	if err != nil {
		w.b.Fatal(err)
	}
	return len(requests)
}
