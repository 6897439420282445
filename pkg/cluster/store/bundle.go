// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Bundle is what a record says of the bundle that owns its instance.
type Bundle struct {
	Name string // empty: none does
	// Namespaces are those of all instances of the bundle. They tell it from
	// another one of the same name.
	Namespaces []string
}

// In returns a store whose Begin records that the instance belongs to a bundle,
// or to none.
func (s Store) In(b Bundle) Store {
	s.bundle = b
	return s
}

// Bundle returns the name of the bundle that owns the instance, empty when none
// does.
func (r *Record) Bundle() string {
	name, _ := r.Labels()[api.LabelBundle].(string)
	return name
}

// Namespaces returns the namespaces of the bundle that owns the instance, as far
// as the record knows them.
func (r *Record) Namespaces() []string {
	list := []string{r.Instance.Metadata.Namespace}
	if text := r.secret.Annotation(api.AnnotationBundleNamespaces); text != "" {
		list = append(list, strings.Split(text, ",")...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mark says in the metadata of a record who owns its instance.
func (b Bundle) mark(secret api.Object) {
	if b.Name == "" {
		secret.RemoveLabel(api.LabelBundle)
		secret.RemoveAnnotation(api.AnnotationBundleNamespaces)
		return
	}
	secret.SetLabel(api.LabelBundle, b.Name)
	secret.SetAnnotation(api.AnnotationBundleNamespaces, strings.Join(b.Namespaces, ","))
}

// BundleError refuses to change an instance of another bundle, of a bundle as
// one of none, or of none as one of a bundle.
type BundleError struct {
	Instance      api.Metadata
	Owner, Wanted string // bundles, empty for none
}

// Error says whose the instance is.
func (e *BundleError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("instance %q in namespace %q belongs to no bundle", e.Instance.Name, e.Instance.Namespace)
	}
	return fmt.Sprintf("instance %q in namespace %q belongs to the bundle %q", e.Instance.Name, e.Instance.Namespace, e.Owner)
}

// CheckBundle refuses an instance, which need not be installed, that does not
// belong to a bundle, or belongs to one where none is named.
func CheckBundle(record *Record, wanted string) error {
	if record == nil || record.Bundle() == wanted {
		return nil
	}
	return &BundleError{Instance: record.Instance.Metadata, Owner: record.Bundle(), Wanted: wanted}
}
