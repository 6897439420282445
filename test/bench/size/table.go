// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// binary is a row of the table in docs/design.md section 2.
type binary struct {
	name    string
	source  string        // directory of its main package
	size    float64       // most megabytes, of 1,000,000 bytes
	startup time.Duration // most CPU time of --help
	may     []library     // what it may link of what libraries lists
}

func binaries() []binary {
	const front, light, heavy = 3 * time.Millisecond, 10 * time.Millisecond, 22 * time.Millisecond
	return []binary{
		{"kubectl-timoni", "plugins/kubectl-timoni", 6, front, nil},
		{"kubectl-timoni-build", "plugins/kubectl-timoni-build", 24, light, []library{cue, oci}},
		{"kubectl-timoni-apply", "plugins/kubectl-timoni-apply", 50, heavy, []library{cue, oci, clientGo}},
		{"kubectl-timoni-instance", "plugins/kubectl-timoni-instance", 32, heavy, []library{clientGo}},
		{"kubectl-timoni-bundle", "plugins/kubectl-timoni-bundle", 52, heavy, []library{cue, oci, clientGo}},
		{"kubectl-timoni-mod", "plugins/kubectl-timoni-mod", 42, heavy, []library{cue, oci, apiextensions}},
		{"kubectl-timoni-artifact", "plugins/kubectl-timoni-artifact", 22, light, []library{oci, sigstore}},
		{"timoni-krm", "krmfn", 36, light, []library{cue, oci, kyaml, kustomize}},
	}
}

// library is third-party code that is too heavy to be linked by accident.
type library string

const (
	cue           library = "CUE"
	oci           library = "OCI"
	clientGo      library = "client-go"
	apiextensions library = "apiextensions"
	sigstore      library = "sigstore"
	kyaml         library = "kyaml"
	kustomize     library = "kustomize"
	clientsets    library = "typed clientsets" // not allowed: 15 MB each
)

func libraries() []library {
	return []library{cue, oci, clientGo, apiextensions, sigstore, kyaml, kustomize, clientsets}
}

// packages returns the import paths by which a library is known; each stands
// for the packages below it, too.
func (l library) packages() []string {
	switch l {
	case cue:
		return []string{"cuelang.org/go"}
	case oci:
		return []string{"github.com/google/go-containerregistry"}
	case clientGo:
		return []string{
			"k8s.io/client-go/rest", "k8s.io/client-go/dynamic", "k8s.io/client-go/discovery",
			"k8s.io/client-go/kubernetes", "k8s.io/client-go/tools", "k8s.io/cli-runtime",
		}
	case clientsets:
		return []string{"k8s.io/client-go/kubernetes/typed"}
	case apiextensions:
		return []string{"k8s.io/apiextensions-apiserver", "github.com/google/cel-go"}
	case sigstore:
		// Verification by key, github.com/sigstore/sigstore, is for everybody.
		return []string{"github.com/sigstore/sigstore-go", "github.com/sigstore/fulcio", "github.com/sigstore/rekor"}
	case kyaml:
		return []string{"sigs.k8s.io/kustomize/kyaml/fn"}
	case kustomize:
		// What builds; the other types come with cli-runtime.
		return []string{"sigs.k8s.io/kustomize/api/krusty"}
	}
	return nil
}
