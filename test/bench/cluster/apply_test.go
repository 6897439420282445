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
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// BenchmarkApply applies the minimal module to a new namespace and then again.
// Beside the times it reports, for the first apply, how long after the
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
	path := filepath.Join(home, "kubeconfig")
	if err = os.WriteFile(path, kubeconfig, 0o600); err != nil {
		b.Fatal(err)
	}
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
		env: append(os.Environ(), "HOME="+home, "KUBECONFIG="+path, "PATH="+bin),
	}
}

// timoni runs a verb through kubectl.
func (w *world) timoni(args ...string) {
	w.b.Helper()
	cmd := exec.CommandContext(w.b.Context(), w.cp.Kubectl, append([]string{"timoni"}, args...)...)
	cmd.Env = w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		w.b.Fatalf("kubectl timoni %s: %v\n%s", strings.Join(args, " "), err, out)
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

// BenchmarkHundred installs 100 ConfigMaps, applies them again unchanged, with
// 3 of them changed, and deletes them. It reports the requests of each.
func BenchmarkHundred(b *testing.B) {
	w := newWorld(b)
	w.module = filepath.Join(filepath.Dir(w.module), "raw")
	all, changed := w.configMaps(100, 0), w.configMaps(100, 3)
	steps := []struct {
		name string
		args []string
	}{
		{"install", []string{"apply", "app", w.module, "-f", all}},
		{"unchanged", []string{"apply", "app", w.module, "-f", all}},
		{"3-changed", []string{"apply", "app", w.module, "-f", changed}},
		{"delete", []string{"delete", "app"}},
	}
	requests := map[string]int{}
	took := map[string]time.Duration{}
	for i := 0; b.Loop(); i++ {
		ns := fmt.Sprintf("%s-%d-%d", "bench-hundred", time.Now().Unix(), i)
		for _, s := range steps {
			w.reset()
			started := time.Now()
			w.timoni(append(s.args, "-n", ns, "-q")...)
			took[s.name] += time.Since(started)
			requests[s.name] += w.count()
		}
	}
	for _, s := range steps {
		b.ReportMetric(float64(requests[s.name])/float64(b.N), "requests/"+s.name)
		b.ReportMetric(float64(took[s.name].Milliseconds())/float64(b.N), "ms/"+s.name)
	}
}

// configMaps returns the path of a values file with n ConfigMaps for the module
// raw, of which the first are changed.
func (w *world) configMaps(n, changed int) string {
	w.b.Helper()
	var text strings.Builder
	text.WriteString("stages: {app: {\n")
	for i := range n {
		fmt.Fprintf(&text, "  c%d: {apiVersion: v1, kind: ConfigMap, metadata: {name: c%d}, data: {changed: %q}},\n", i, i, fmt.Sprint(i < changed))
	}
	text.WriteString("}}\n")
	path := filepath.Join(w.b.TempDir(), "values.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		w.b.Fatal(err)
	}
	return path
}
