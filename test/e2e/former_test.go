// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// former is the last commit whose binaries know no formats of record and
// ledger.
const former = "95b8ed5"

// formerBinaries returns a directory with the plugins of that commit, which are
// built once per machine.
func formerBinaries(t *testing.T, root string) string {
	t.Helper()
	ctx := t.Context()
	if exec.CommandContext(ctx, "git", "-C", root, "cat-file", "-e", former+"^{commit}").Run() != nil {
		t.Skipf("commit %s is not in this clone: fetch the whole history", former)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "kubectl-timoni", "former", former)
	if err = os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	unlock, err := lockedfile.MutexAt(dir + ".lock").Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err = os.Stat(dir); err == nil {
		return dir
	}
	src := t.TempDir()
	archive, built := filepath.Join(src, "former.tar"), filepath.Join(src, "built")
	for _, args := range [][]string{
		{"git", "-C", root, "archive", "--output", archive, former},
		{"tar", "-xf", archive, "-C", src},
		{"go", "build", "-ldflags=-s -w", "-o", built + "/", "./plugins/kubectl-timoni-apply", "./plugins/kubectl-timoni-instance"},
		{"cp", "-r", built, dir},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.Env = src, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "PWD="+src)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	return dir
}

// person is a user with binaries of one version.
type person struct {
	t              *testing.T
	bin, kubectl   string
	kubeconfig, ns string
}

// run runs a program in the namespace, which must exit with a code, and returns
// what it printed.
func (p person) run(code int, program string, args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), program, append(args, "-n", p.ns)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "HOME="+filepath.Dir(p.kubeconfig))
	out, err := cmd.CombinedOutput()
	got, err := exitCode(err)
	if err != nil || got != code {
		p.t.Fatalf("%s %q: exit code %d, want %d: %v\n%s", program, args, got, code, err, out)
	}
	return string(out)
}

func (p person) apply(code int, name, module string, files ...string) string {
	p.t.Helper()
	args := []string{name, module}
	for _, f := range files {
		args = append(args, "-f", f)
	}
	if code == 4 { // it never becomes ready
		args = append(args, "--timeout=5s")
	}
	return p.run(code, filepath.Join(p.bin, "kubectl-timoni-apply"), args...)
}

func (p person) instance(args ...string) string {
	p.t.Helper()
	return p.run(0, filepath.Join(p.bin, "kubectl-timoni-instance"), args...)
}

// versions returns the resource versions of the Secrets that are remembered of
// an instance.
func (p person) versions(name string) string {
	p.t.Helper()
	return p.run(0, p.kubectl, "get", "secret", "timoni."+name, "timoni-ledger."+name, "-o", "jsonpath={.items[*].metadata.resourceVersion}")
}

// has says whether a ConfigMap exists.
func (p person) has(name string) bool {
	p.t.Helper()
	return p.run(0, p.kubectl, "get", "configmap", name, "--ignore-not-found", "-o", "name") != ""
}

// revisions returns how many revisions the history has.
func (p person) revisions(name string) int {
	p.t.Helper()
	return strings.Count(p.instance("history", name), "\n") - 1 // the header
}

// TestFormerBinaries holds that binaries from before the formats and those of
// today work on the same instances in turn: each reads what the other wrote,
// none loses anything, and what the former cannot handle it refuses before it
// writes.
func TestFormerBinaries(t *testing.T) {
	t.Parallel()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin, old := plugins(t, root), formerBinaries(t, root)
	cp := kit.ForTest(t)
	ns := cp.Namespace(t)
	kubeconfig, err := cp.User(ns)
	if err != nil {
		t.Fatal(err)
	}
	today := person{t: t, bin: bin, kubectl: cp.Kubectl, ns: ns, kubeconfig: fixture.Write(t, filepath.Join(t.TempDir(), "kubeconfig"), kubeconfig)}
	before := today
	before.bin = old
	module := filepath.Join(root, "test", "modules", "raw")
	values := func(text string) string {
		return fixture.Write(t, filepath.Join(t.TempDir(), "values.yaml"), strings.ReplaceAll(text, "NS", ns))
	}
	for name, meet := range map[string]func(today, before person, module string, values func(string) string){
		"in turn": inTurn, "unfinished": unfinished, "large": largeValues, "shared": sharing, "newer": newerFormat,
	} {
		t.Run(name, func(t *testing.T) {
			today, before := today, before
			today.t, before.t = t, t
			meet(today, before, module, values)
		})
	}
}

const oneConfig = `stages: {a: {c: {apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {key: %q}}}}`

// inTurn upgrades an instance with each version after the other.
func inTurn(today, before person, module string, values func(string) string) {
	t := today.t
	for i, p := range []person{before, today, before, today} {
		file := values(fmt.Sprintf(oneConfig, "turn", strings.Repeat("x", i+1)))
		p.apply(0, "turn", module, file)
		version := p.versions("turn")
		if out := p.apply(0, "turn", module, file); !strings.Contains(out, "applied turn: 1 unchanged") || p.versions("turn") != version {
			t.Errorf("turn %d: the same again: %s", i, out)
		}
		for _, reader := range []person{before, today} {
			if n := reader.revisions("turn"); n != i+1 {
				t.Errorf("turn %d: the history has %d revisions", i, n)
			}
		}
	}
	before.instance("delete", "turn")
	if out := today.run(0, today.kubectl, "get", "secret", "timoni.turn", "--ignore-not-found", "-o", "name"); out != "" || today.has("turn") {
		t.Errorf("after the delete there is %s", out)
	}
}

const neverReady = `stages: {a: {
  extra: {apiVersion: v1, kind: ConfigMap, metadata: {name: extra}},
  d: {apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: d}}, template: {metadata: {labels: {a: d}}, spec: {nodeSelector: {absent: node}, containers: [{name: c, image: c}]}}}}}}`

// unfinished has one version go on where an upgrade of the other did not end:
// what it created is pruned.
func unfinished(today, before person, module string, values func(string) string) {
	t := today.t
	base, more := values(fmt.Sprintf(oneConfig, "base", "x")), values(neverReady)
	for name, pair := range map[string][2]person{"today-then-former": {today, before}, "former-then-today": {before, today}} {
		pair[0].apply(0, name, module, base)
		pair[0].apply(4, name, module, base, more)
		if !today.has("extra") {
			t.Fatalf("%s: the upgrade did not begin", name)
		}
		if out := pair[1].instance("list"); !strings.Contains(out, name) {
			t.Errorf("%s: it is not listed: %s", name, out)
		}
		pair[1].apply(0, name, module, base)
		if today.has("extra") || !today.has("base") {
			t.Errorf("%s: what the unfinished upgrade created is left", name)
		}
		if n := pair[0].revisions(name); n != 3 {
			t.Errorf("%s: the history has %d revisions", name, n)
		}
		pair[0].instance("delete", name)
	}
}

// largeValues upgrades values that a former version cannot upgrade.
func largeValues(today, before person, module string, values func(string) string) {
	t := today.t
	file := func(letter string) string {
		return values(fmt.Sprintf(oneConfig, "large", strings.Repeat(letter, 600_000)))
	}
	before.apply(0, "large", module, file("a"))
	today.apply(0, "large", module, file("b"))
	version := today.versions("large")
	if out := before.apply(5, "large", module, file("c")); !strings.Contains(out, "the record of instance") || today.versions("large") != version {
		t.Errorf("a former version: %s", out)
	}
	today.apply(0, "large", module, file("d"))
	before.apply(0, "large", module, values(fmt.Sprintf(oneConfig, "large", "e")))
	if n := today.revisions("large"); n != 4 {
		t.Errorf("the history has %d revisions", n)
	}
	today.instance("delete", "large")
}

const definition = `stages: {a: {crd: {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: formers.NS.example.com},
  spec: {group: NS.example.com, scope: Namespaced, names: {kind: Former, plural: formers},
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}}}`

// sharing has a former version meet a definition that is shared: it refuses,
// and the note of the user stays.
func sharing(today, before person, module string, values func(string) string) {
	t := today.t
	file := values(definition)
	before.apply(0, "owner", module, file)
	today.apply(0, "user", module, file)
	version := today.versions("user")
	if out := before.apply(5, "user", module, file); !strings.Contains(out, "belongs to instance") || today.versions("user") != version {
		t.Errorf("a former version: %s", out)
	}
	before.apply(0, "owner", module, file)
	if out := today.instance("delete", "owner", "--delete-crds"); !strings.Contains(out, "deleted owner: 1 kept") {
		t.Errorf("delete of the owner: %s", out)
	}
	today.apply(0, "user", module, file)
	if out := before.instance("delete", "user", "--delete-crds"); !strings.Contains(out, "deleted user: 1 deleted") {
		t.Errorf("delete of the user, who owns it by now: %s", out)
	}
}

// newerFormat meets what a version writes that does not exist yet.
func newerFormat(today, _ person, module string, values func(string) string) {
	t := today.t
	file := values(fmt.Sprintf(oneConfig, "newer", "x"))
	other := values(fmt.Sprintf(oneConfig, "newer", "y"))
	for _, secret := range []string{"timoni.newer", "timoni-ledger.newer"} {
		today.apply(0, "newer", module, file)
		today.run(0, today.kubectl, "patch", "secret", secret, "--type=merge", "-p", `{"stringData":{"format":"3"}}`)
		version := today.versions("newer")
		for _, values := range []string{file, other} {
			if out := today.apply(5, "newer", module, values); !strings.Contains(out, secret+` has format "3"`) {
				t.Errorf("apply: %s", out)
			}
		}
		today.run(5, filepath.Join(today.bin, "kubectl-timoni-instance"), "delete", "newer")
		if !today.has("newer") || today.versions("newer") != version {
			t.Errorf("%s: something was written", secret)
		}
		today.instance("list")
		today.instance("history", "newer")
		today.run(0, today.kubectl, "patch", "secret", secret, "--type=merge", "-p", `{"stringData":{"format":"2"}}`)
	}
	today.instance("delete", "newer")
}
