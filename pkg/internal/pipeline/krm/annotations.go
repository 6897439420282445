// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// claim says what becomes of an annotation of a rendered object.
type claim int

const (
	claimNone    claim = iota // it passes
	claimOurs                 // the function or kustomize sets it: the module's is left out
	claimRefused              // it is about what is none of the module's
)

// claimOf returns what becomes of an annotation. By some kustomize and kpt start
// programs or place files. By others an object takes the place of another one,
// or is taken for it. Those that order objects, ask for a hash in a name or keep
// an object from the cluster are about the object itself.
func claimOf(key string) claim {
	if !api.IsToolAnnotation(key) {
		return claimNone
	}
	domain, name, _ := strings.Cut(key, "/")
	switch name {
	case "path", "index", "id", "function":
		return claimOurs
	case "behavior", "prefixes", "suffixes", "origin", "transformations":
		return claimRefused
	}
	if domain == internalDomain || strings.HasPrefix(name, "previous") {
		return claimRefused
	}
	return claimNone
}

// internalDomain is that of the annotations by which kustomize and kpt keep
// what they know of an object while they work on it.
const internalDomain = "internal.config.kubernetes.io"

// cleanAnnotations removes from rendered objects the annotations that are not
// for a module to set, and warns of them and of objects that kustomize leaves
// out. An annotation that makes an object another one's is refused.
func cleanAnnotations(objects []api.Object) (warnings []string, err error) {
	var problems []error
	for _, o := range objects {
		name := describeID(identityOf(o))
		keys := o.AnnotationKeys()
		for _, key := range keys {
			switch claimOf(key) {
			case claimRefused:
				problems = append(problems, fail.Refusedf("%s: the module sets the annotation %s, which is reserved for kustomize", name, key))
			case claimOurs:
				warnings = append(warnings, fmt.Sprintf("%s: left out the annotation %s: a module does not set it", name, key))
				o.RemoveAnnotation(key)
			}
		}
		if slices.Contains(keys, localConfig) && o.Annotation(localConfig) != "false" {
			warnings = append(warnings, fmt.Sprintf("%s: the module marks it %s: kustomize and kpt keep it from the cluster", name, localConfig))
		}
	}
	return warnings, errors.Join(problems...)
}

// NamespaceAnnotation tells the function the namespace that a build is for,
// where its config names none.
const NamespaceAnnotation = "krm.timoni.sh/build-namespace"

// givenNamespace returns the namespace that the build is for, if the config
// names none.
func (l *List) givenNamespace() string {
	if l.Config == nil || l.Config.GetNamespace() != "" {
		return ""
	}
	given, err := l.Config.Pipe(yaml.Lookup("metadata", "annotations", NamespaceAnnotation))
	if err != nil {
		return "" // not a map, which decode says
	}
	return yaml.GetValue(given)
}

// rememberDefault makes an object in the namespace that the build is for known
// to kustomize as one of the namespace default, too. There it would be without
// that namespace, and there a patch or a reference looks for it.
func (l *List) rememberDefault(o *yaml.RNode) error {
	if namespace := l.givenNamespace(); namespace == "" || o.GetNamespace() != namespace {
		return nil
	}
	annotations := o.GetAnnotations()
	annotations[internalDomain+"/previousNames"] = o.GetName()
	annotations[internalDomain+"/previousNamespaces"] = defaultNamespace
	annotations[internalDomain+"/previousKinds"] = o.GetKind()
	return o.SetAnnotations(annotations)
}
