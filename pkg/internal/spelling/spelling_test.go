// SPDX-License-Identifier: Apache-2.0

package spelling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/spelling"
)

// command is one of ours, as far as the rewriting asks: flags end with = when
// they take a value.
type command struct {
	name     string
	flags    string
	children []command
}

func (c command) Name() string { return c.name }

func (c command) Child(word string) (spelling.Command, bool) {
	for _, child := range c.children {
		if child.name == word {
			return child, true
		}
	}
	return nil, false
}

func (c command) Flag(name string) (takesValue, known bool) {
	for f := range strings.FieldsSeq(c.flags) {
		if strings.TrimSuffix(f, "=") == name {
			return strings.HasSuffix(f, "="), true
		}
	}
	return false, false
}

func ours() map[string]command {
	return map[string]command{
		"apply": {name: "apply", flags: "version= v= values= f= dry-run= timeout= context= namespace= n= adopt= diff quiet q insecure-registry kubeconfig= cache-dir="},
		"build": {name: "build", flags: "version= v= render-timeout= namespace= n= insecure-registry"},
		"instance": {name: "instance", children: []command{
			{name: "delete", flags: "dry-run= timeout= namespace= n= context= cache-dir="},
			{name: "list", flags: "all-namespaces A output= o= namespace= n= context= cache-dir="},
		}},
		"mod": {name: "mod", children: []command{
			{name: "vet", flags: "debug namespace= n="},
			{name: "pull", flags: "output= o= version= v= key="},
			{name: "build", flags: "output= o= version= v= layout="},
			{name: "push", flags: "sign= version= v= annotation= a="},
			{name: "list", flags: "digests limit="},
			{name: "show", children: []command{{name: "config", flags: "output= o= readme-file="}}},
			{name: "vendor", children: []command{{name: "crd", flags: "filename= f="}}},
		}},
		"artifact": {name: "artifact", children: []command{
			{name: "push", flags: "filename= f= format= annotation= a= tag= t="},
			{name: "pull", flags: "output= o= overwrite"},
			{name: "build", flags: "format= layout= output= o="},
			{name: "tag", flags: "output= o="},
			{name: "registry", children: []command{{name: "login", flags: "password= p="}}},
		}},
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		// What is ours stays as it is typed.
		"apply app ./m -f a.yaml -qv 1.0.0": "app ./m -f a.yaml -q -v 1.0.0",
		"apply app -- --dry-run":            "app -- --dry-run",
		"apply app --unknown x":             "app --unknown x",
		"apply -":                           "-",
		"instance list -Ao json":            "list -A -o json",
		"mod":                               "",
		"mod nothing --here":                "nothing --here",

		"apply app ./m --dry-run":               "app ./m --dry-run=server",
		"apply app ./m --dry-run --diff":        "app ./m --dry-run=server --diff",
		"apply app ./m --dry-run client":        "app ./m --dry-run=client",
		"apply app ./m --dry-run=none":          "app ./m --dry-run=none",
		"apply app ./m --dry-run=true":          "app ./m --dry-run=server",
		"apply app ./m --dry-run=false":         "app ./m",
		"apply --dry-run app ./m":               "--dry-run=server app ./m",
		"instance delete --dry-run server app":  "delete --dry-run=server app",
		"instance delete --dry-run app server":  "delete --dry-run=server app server",
		"instance delete server --dry-run":      "delete server --dry-run=server",
		"instance delete app . -n x":            "delete app -n x",
		"instance delete .":                     "delete .",
		"apply app ./m --overwrite-ownership":   "app ./m --adopt=all",
		"apply a b --overwrite-ownership=false": "a b",

		"apply a b --kube-context c":                "a b --context=c",
		"build a b --kube-context c":                "a b",
		"build a b --kube-insecure-skip-tls-verify": "a b",
		"build a b --registry-insecure":             "a b --insecure-registry",
		"build a b --registry-insecure=false":       "a b --insecure-registry=false",
		"instance --kube-context c list":            "list --context=c",
		"mod -n apps list x --registry-insecure":    "list x",
		"mod --kubeconfig f -napps list x":          "list x",
		"build a b --log-pretty=false --log-color":  "a b",
		"build a b --timeout 5s":                    "a b --render-timeout=5s",
		"apply a b --timeout 5s":                    "a b --timeout 5s",
		"instance list --cache-dir d":               "list --cache-dir d",

		"mod lint ./m":                                "vet ./m",
		"mod vendor crds --file x":                    "vendor crd --filename=x",
		"mod pull r -o ./m":                           "pull r ./m",
		"mod pull -o ./m r":                           "pull r ./m",
		"mod pull r ./m -o json":                      "pull r ./m -o json",
		"mod pull r --output=./m -- x":                "pull r -- x ./m",
		"artifact pull r -o .":                        "pull r --overwrite=true .",
		"mod pull r m --verify=cosign --cosign-key k": "pull r m --key=k",
		"mod build ./m -v 1.0.0 -o a":                 "build ./m -v 1.0.0 --layout=archive a",
		"mod build ./m -o a --format oci-layout":      "build ./m --layout=directory a",
		"artifact build a --format flux":              "build a --format flux",
		"mod push m r --sign=cosign --cosign-key=k":   "push m r --sign=k",
		"mod push m r --sign k":                       "push m r --sign k",
		"mod list r --with-digest=false":              "list r --digests=false",
		"mod show config -o README.md":                "show config --readme-file=README.md",
		"mod show config -o markdown":                 "show config -o markdown",
		"artifact tag r -t a -t b":                    "tag r a b",
		"artifact tag r a --tag=b":                    "tag r a b",
		"artifact push r -t a --path=-":               "push r -t a --filename=- --format=flux",
		"artifact push r --path=. --format=timoni":    "push r --filename=. --format=timoni",
		"artifact push r --source=s --revision r1":    "push r --annotation=org.opencontainers.image.source=s --annotation=org.opencontainers.image.revision=r1",
		"artifact registry login h -p x":              "registry login h -p x",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(typed)
			line, err := spelling.Rewrite(ours()[words[0]], words[1:])
			if got := strings.Join(line.Args, " "); err != nil || got != want {
				t.Errorf("got  %q, %v\nwant %q", got, err, want)
			}
		})
	}
}

func TestRewriteErrors(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"apply a b -v 6":                    "-v is a version",
		"apply a b -v=6":                    "-v is a version",
		"apply a b -qv6":                    "-v is a version",
		"instance list -v 6":                "'list' does not take",
		"instance list -v":                  "'list' does not take",
		"mod list r -v=6":                   "'mod list' does not take",
		"apply a b --cache-dir d":           "cannot be told apart",
		"apply a b --overwrite-ownership=x": "want true or false",
		"mod push m r --sign=cosign":        "the key is missing",
		"mod pull r d --verify=notation":    "only cosign",
		"mod pull r d --verify=cosign":      "who must have signed is missing",
		"mod list r --timeout soon":         "want a time",
		"artifact push r --source":          "needs an argument",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(typed)
			line, err := spelling.Rewrite(ours()[words[0]], words[1:])
			if err == nil || !strings.Contains(err.Error(), want) || fail.CodeOf(err) != fail.Usage {
				t.Errorf("got %q, error %v, want %q", line.Args, err, want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	line, err := spelling.Rewrite(ours()["mod"], strings.Fields("list r --timeout 90s --cache-dir d"))
	want := spelling.Line{Args: []string{"list", "r"}, Timeout: 90 * time.Second, Env: map[string]string{"TIMONI_CACHE_DIR": "d"}}
	if diff := cmp.Diff(want, line); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("apply a b --dry-run -qv 1 -- -x")
	f.Add("mod pull r -o x --verify=cosign --cosign-key k")
	f.Fuzz(func(t *testing.T, typed string) {
		words := strings.Fields(typed)
		if len(words) == 0 {
			return
		}
		root, ok := ours()[words[0]]
		if !ok {
			return
		}
		line, err := spelling.Rewrite(root, words[1:])
		if err != nil {
			return
		}
		again, err := spelling.Rewrite(root, line.Args)
		if err != nil {
			t.Fatalf("%q became %q, which is refused: %v", typed, line.Args, err)
		}
		if diff := cmp.Diff(line.Args, again.Args); diff != "" {
			t.Errorf("%q is not ours after one rewriting (-first +second):\n%s", typed, diff)
		}
	})
}
