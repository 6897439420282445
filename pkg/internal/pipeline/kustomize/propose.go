// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
)

// atRoot changes the kustomization that is examined, of which path is the file.
func (x examination) atRoot(path string, k *types.Kustomization) {
	if filepath.Dir(path) != x.root {
		return
	}
	if x.bare {
		k.NamePrefix, k.NameSuffix, k.Namespace = "", "", ""
	}
	x.guard.addTo(k)
}

// proposal is a guard that is tried out: a patch that changes nothing of an
// object that has to be there.
type proposal struct {
	patch string
	last  bool // behind the transformers of others, whose objects do not exist before
}

func (p proposal) addTo(k *types.Kustomization) {
	switch {
	case p.patch == "":
	case p.last:
		k.Transformers = append(k.Transformers, p.transformer())
	default:
		k.Patches = append(k.Patches, types.Patch{Patch: p.patch})
	}
}

func (p proposal) transformer() string {
	return "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: guard}\npatch: |-\n" + indent(p.patch, "  ")
}

func (p proposal) text() *guard.Patch {
	if p.last {
		return &guard.Patch{
			Kustomization: "transformers:\n# … those that are there\n- guard.yaml\n",
			File:          "guard.yaml", Content: p.transformer(),
		}
	}
	return &guard.Patch{Kustomization: "patches:\n- patch: |-\n" + indent(p.patch, "    ")}
}

func indent(lines, by string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(by + line)
	}
	return b.String()
}

// propose returns a guard that makes the build fail when functions are left
// out, and lets the complete one pass. Of patches and transformers it takes the
// first, which see objects before the kustomization names them.
func (x examination) propose(missing []*resource.Resource) *guard.Patch {
	var ignored guard.Build
	bare := x
	bare.bare = true
	if early, _, err := bare.missing(&ignored, &ignored); err == nil {
		if p := x.firstOf(early, false); p != nil {
			return p
		}
	}
	return x.firstOf(missing, true)
}

// candidates is how many of the missing objects are tried for a guard.
const candidates = 3

func (x examination) firstOf(missing []*resource.Resource, last bool) *guard.Patch {
	var ignored guard.Build
	for _, r := range missing[:min(len(missing), candidates)] {
		metadata := fmt.Sprintf("{name: %q", r.GetName())
		if ns := r.GetNamespace(); ns != "" {
			metadata += fmt.Sprintf(", namespace: %q", ns)
		}
		x.guard = proposal{fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: %s}\n", r.GetApiVersion(), r.GetKind(), metadata), last}
		if _, err := x.build(false, &ignored); err == nil {
			continue
		}
		if _, err := x.build(true, &ignored); err == nil {
			return x.guard.text()
		}
	}
	return nil
}
