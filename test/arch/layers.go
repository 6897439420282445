// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// layer is a package's place in the order of imports: it imports packages of
// a lower rank only, and third-party code only under the prefixes of may.
type layer struct {
	name string // below pkg/; a trailing slash stands for all below
	rank int
	may  []string
}

// Prefixes of third-party code that several layers share.
const (
	cue          = "cuelang.org/go/"
	apimachinery = "k8s.io/apimachinery/"
	apiTypes     = "k8s.io/api/"
	clientGo     = "k8s.io/client-go/"
	cliRuntime   = "k8s.io/cli-runtime/"
	cobra        = "github.com/spf13/cobra"
	pflag        = "github.com/spf13/pflag"
	registry     = "github.com/google/go-containerregistry/"
	semver       = "github.com/Masterminds/semver/v3"
	kustomize    = "sigs.k8s.io/kustomize/"
	yaml         = "sigs.k8s.io/yaml"
	yamlNodes    = "go.yaml.in/yaml/v3" // with line numbers
	terminal     = "golang.org/x/term"
	sync         = "golang.org/x/sync/"
	fieldsets    = "sigs.k8s.io/structured-merge-diff/v6/" // the field sets of apimachinery's managed fields
)

// layers is the table of docs/design.md section 3. To add a package, add its row.
func layers() []layer { return slices.Concat(groundLayers(), libraryLayers(), verbLayers()) }

// groundLayers are the districts and the packages that import next to nothing.
func groundLayers() []layer {
	return []layer{
		// The districts, which only have a doc.go.
		{"module", -1, nil},
		{"registry", -1, nil},
		{"cluster", -1, nil},
		{"internal/pipeline", -1, nil},
		{"internal/action", -1, nil},
		// Below its neighbours, whose errors carry its hints and exit codes.
		{"fail", -2, nil},
		{"event", -1, nil},
		{"mask", -1, nil},
		{"ref", 0, []string{semver}},
		{"internal/spelling", 0, nil}, // for the front door, too
		{"registry/sign/signature", 0, nil},
		{"api", 0, []string{apimachinery, yaml}},
		{"download", 0, nil},
		{"internal/document", 0, []string{yamlNodes}},
		{"internal/link", 0, nil},
		{"internal/cachedir", 0, nil},
		{"internal/input", 0, nil},
		{"module/internal/outline", 0, nil},
		{"module/internal/order", 0, []string{cue}},
		{"module/internal/wellknown", 0, nil},
		{"module/internal/budget", 0, nil},
		{"module/internal/healthcheck", 2, []string{cue}},
		{"module/internal/memo", 2, []string{cue}},
		{"internal/pipeline/credential", 0, []string{kustomize}},
		{"internal/pipeline/fields", 1, []string{kustomize}},
		{"internal/pipeline/guard", 0, nil},
		{"sops", 0, []string{yamlNodes}},
		{"registry/attest", 0, nil},
		{"registry/internal/ignore", 0, nil},
	}
}

// libraryLayers are the packages below the verbs.
func libraryLayers() []layer {
	return []layer{
		{"module/internal/partial", 1, []string{cue}}, // with outline: can be switched off
		{"module/schema", 1, nil},
		{"module/schema/kubernetes", 1, nil},
		{"module/values", 1, []string{cue, yamlNodes, "golang.org/x/text/unicode/norm"}},
		{"registry/archive", 1, []string{registry}},
		{"registry/cache", 2, []string{registry, "github.com/rogpeppe/go-internal/lockedfile"}},
		{"registry/mirror", 1, []string{yamlNodes}},
		{"registry/session", 2, []string{registry, "github.com/docker/cli/cli/config", "golang.org/x/net/publicsuffix"}},
		{"registry/oci", 3, []string{registry, semver, sync}},
		{"registry/sign/privatekey", 1, []string{"github.com/sigstore/sigstore/pkg/"}}, // apart, for what signs
		{"registry/sign/trust", 1, []string{yaml}},
		{"cluster/kube", 1, []string{clientGo, apimachinery, apiTypes, "k8s.io/klog/"}},
		{"module/builtin", 2, []string{apimachinery}},
		{"module/crd", 1, []string{cue, apimachinery, yaml, "k8s.io/kube-openapi/"}},

		{"module/crd/cel", 2, []string{apimachinery, "k8s.io/apiextensions-apiserver/", "k8s.io/apiserver/pkg/apis/cel", "k8s.io/apiserver/pkg/cel/environment", "github.com/google/cel-go/cel"}},
		{"registry/source", 4, nil},
		{"module/render", 3, []string{cue, apimachinery, yaml}},
		{"internal/blueprint", 2, nil},
		{"module/assignment", 2, []string{cue}}, // PATH=VALUE of a command line
		{"module/cuefile", 2, []string{cue}},
		{"cluster/earlier", 2, []string{apimachinery}}, // instances of a bundle
		{"cluster/store", 2, []string{apimachinery, yaml}},
		{"cluster/delta", 1, []string{apimachinery, yaml, "github.com/rogpeppe/go-internal/diff"}},
		{"cluster/ready", 2, []string{apimachinery, "k8s.io/client-go/util/jsonpath", "github.com/fluxcd/cli-utils/pkg/kstatus/"}},

		{"bundle", 3, []string{cue, yaml}},
		{"internal/pin", 4, []string{cue, "github.com/rogpeppe/go-internal/diff"}}, // versions in bundle files and function configs
		{"internal/pipeline/vet", 3, []string{cue, kustomize}},
		{"cluster/reviewed", 2, []string{apimachinery}}, // what a plan showed
		{"cluster/kinds", 2, []string{apimachinery}},
		{"cluster/internal/ownership", 2, nil},
		{"cluster/fieldset", 2, []string{apimachinery, fieldsets}},
		{"cluster/follow", 3, []string{apimachinery}},
		{"cluster/tree", 3, []string{apimachinery}},
		{"cluster/internal/survey", 3, []string{apimachinery}},
		{"cluster/internal/removal", 4, []string{apimachinery}},
		{"cluster/state", 4, []string{apimachinery}},
		{"cluster/teardown", 5, nil},
		{"cluster/apply", 5, []string{clientGo, apimachinery, apiTypes, sync, fieldsets}},

		{"registry/sign/keyless", 5, []string{"github.com/sigstore/sigstore-go/pkg/", "github.com/sigstore/protobuf-specs/"}}, // for action/verify and keylessflag alone

		{"internal/pipeline/krm", 4, []string{kustomize, yaml}},
		{"internal/pipeline/intake", 5, []string{kustomize, yaml}},
		{"internal/pipeline/kustomize", 5, []string{kustomize, yaml}},
	}
}

// verbLayers are the verbs and the command line.
func verbLayers() []layer {
	return []layer{
		{"internal/action/build", 5, nil},
		{"internal/action/artifact", 5, nil},
		{"internal/action/vendor", 5, nil},
		{"internal/action/verify", 6, nil}, // who signed: alone with package keyless
		{"internal/action/function", 6, nil},
		{"internal/action/expression", 5, []string{apimachinery}}, // asks a child: without CEL
		{"internal/action/instance", 6, []string{apimachinery}},   // the verbs on what is applied: no CUE
		{"internal/action/saved", 6, []string{apimachinery}},      // for a binary without CUE, too
		{"internal/action/plugins", 5, nil},                       // the front door's: nothing heavy

		{"internal/action/deploy", 7, []string{apimachinery}},
		{"internal/action/fleet", 8, []string{apimachinery}}, // the verbs on bundles
		{"internal/action/mod", 6, []string{cue, yaml, "github.com/rogpeppe/go-internal/diff", "github.com/rogpeppe/go-internal/txtar"}},
		{"internal/action/develop", 7, nil},

		// ui stays light, since the front door links it: kubectl's printers
		// are in a package of their own.
		{"cli/ui", 7, []string{terminal, yaml}},
		{"cli/ui/markdown", 8, nil},
		{"cli/ui/printer", 8, []string{cliRuntime, apimachinery, pflag, "k8s.io/client-go/util/jsonpath"}},
		{"cli/complete", 6, []string{cobra, pflag}},
		{"cli/option/choice", 6, []string{pflag}},
		// What errors mean at the command line, apart for what links which.
		{"cli/advice/clusteradvice", 7, []string{apimachinery}},
		{"cli/advice/registryadvice", 7, nil},
		{"cli/advice/moduleadvice", 7, nil},
		{"cli/option/registryflag", 7, []string{pflag}}, // apart, for commands without CUE
		{"cli/option/kubeflag", 7, []string{pflag, cliRuntime, "k8s.io/client-go/tools/clientcmd"}},
		{"cli/option/policyflag", 8, []string{pflag}}, // apart, for what talks to a cluster
		{"cli/option/deleteflag", 7, []string{pflag}}, // apart, for a binary without CUE
		{"cli/option/signingflag", 7, []string{pflag}},
		{"cli/option/keylessflag", 9, []string{pflag}}, // apart, for the artifact plugin alone
		{"cli/option", 8, []string{pflag}},
		{"cli", 8, []string{cobra, pflag}},

		{"cli/ui/review", 9, nil},

		{"cli/cmd/", 10, []string{cobra, pflag}},
	}
}

// mainRank is the rank of plugins/* and krmfn.
const mainRank = 11

// docsRank is the rank of docs, which imports nothing.
const docsRank = -2

// find returns the row of the package in dir, from the repository's root.
func find(dir string) (layer, bool) {
	top, name, _ := strings.Cut(dir, "/")
	if top == "plugins" || top == "krmfn" {
		return layer{name: dir, rank: mainRank}, true
	}
	if dir == "docs" { // the pages, which the front door prints
		return layer{name: dir, rank: docsRank}, true
	}
	if top != "pkg" {
		return layer{}, false
	}
	for _, l := range layers() {
		if l.name == name || strings.HasSuffix(l.name, "/") && strings.HasPrefix(name, l.name) {
			return layer{name: dir, rank: l.rank, may: l.may}, true
		}
	}
	return layer{}, false
}

// checkImports applies the order of imports to the product's code. What only
// serves tests imports what it likes.
func (c *checker) checkImports(tree *ast.File) {
	dir := path.Dir(c.file.Path)
	if top, _, _ := strings.Cut(dir, "/"); top == "test" || top == ".ci" {
		return
	}
	self, ok := find(dir)
	if !ok {
		c.add(c.line(tree.Name), "import", "package %s has no rank: add its row to test/arch/layers.go", dir)
		return
	}
	for _, spec := range tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if text := self.refuses(name); text != "" {
			c.add(c.line(spec), "import", "%s", text)
		}
	}
}

// refuses returns why l must not import a package, or "" when it may.
func (l layer) refuses(name string) string {
	dir, ours := strings.CutPrefix(name, module)
	if !ours {
		return l.refusesThirdParty(name)
	}
	other, ok := find(dir)
	switch {
	case !ok:
		return l.name + " imports " + dir + ", which has no rank"
	case other.rank == l.rank:
		return l.name + " and " + dir + " are siblings of rank " + strconv.Itoa(l.rank)
	case other.rank > l.rank:
		return l.name + " of rank " + strconv.Itoa(l.rank) + " imports " + dir + " of rank " + strconv.Itoa(other.rank)
	}
	return ""
}

func (l layer) refusesThirdParty(name string) string {
	if host, _, _ := strings.Cut(name, "/"); !strings.Contains(host, ".") {
		return "" // the standard library
	}
	for _, prefix := range l.may {
		if name == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(name, strings.TrimSuffix(prefix, "/")+"/") {
			return ""
		}
	}
	return l.name + " must not import " + name
}
