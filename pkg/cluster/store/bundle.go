// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Bundle is what a record says of the bundle that owns its instance.
type Bundle struct {
	Name string // empty: none does
	// Namespaces are those of all instances of the bundle. They tell it from
	// another one of the same name.
	Namespaces []string
	Place
}

// Place is where an instance is in the order in which those of its bundle are
// applied. A delete by the name of the bundle goes the other way.
type Place struct {
	Position  int      // counted from 1; 0: unknown, another tool wrote the record
	DependsOn []string // names of instances
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

// Place returns the place of the instance in its bundle.
func (r *Record) Place() Place {
	n, err := strconv.Atoi(r.secret.Annotation(api.AnnotationBundlePosition))
	if err != nil || n < 1 {
		return Place{}
	}
	p := Place{Position: n}
	if text := r.secret.Annotation(api.AnnotationBundleDependsOn); text != "" {
		p.DependsOn = strings.Split(text, ",")
	}
	return p
}

// Created returns when the record was created, in RFC 3339.
func (r *Record) Created() string {
	metadata, _ := r.secret["metadata"].(map[string]any)
	text, _ := metadata["creationTimestamp"].(string)
	return text
}

// SavePlace writes the place of an instance in its bundle, if the record says
// another one. Nothing else changes.
func (s Store) SavePlace(ctx context.Context, rec *Record) error {
	old := rec.Place()
	if s.bundle.Name == "" || old.Position == s.bundle.Position && slices.Equal(old.DependsOn, s.bundle.DependsOn) {
		return nil
	}
	if err := Writable(rec, nil); err != nil {
		return err
	}
	secret := rec.secret.DeepCopy()
	s.bundle.Place.mark(secret)
	_, err := s.client.Update(ctx, secrets(), secret)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // another run was there: the next apply writes it
	}
	return writeError(rec.Instance, err)
}

func (p Place) mark(secret api.Object) {
	if p.Position == 0 {
		secret.RemoveAnnotation(api.AnnotationBundlePosition)
	} else {
		secret.SetAnnotation(api.AnnotationBundlePosition, strconv.Itoa(p.Position))
	}
	if len(p.DependsOn) == 0 {
		secret.RemoveAnnotation(api.AnnotationBundleDependsOn)
	} else {
		secret.SetAnnotation(api.AnnotationBundleDependsOn, strings.Join(p.DependsOn, ","))
	}
}

// mark says in the metadata of a record who owns its instance.
func (b Bundle) mark(secret api.Object) {
	if b.Name == "" {
		Place{}.mark(secret)
		secret.RemoveLabel(api.LabelBundle)
		secret.RemoveAnnotation(api.AnnotationBundleNamespaces)
		return
	}
	secret.SetLabel(api.LabelBundle, b.Name)
	secret.SetAnnotation(api.AnnotationBundleNamespaces, strings.Join(b.Namespaces, ","))
	b.Place.mark(secret)
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
