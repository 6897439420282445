// SPDX-License-Identifier: Apache-2.0

// Package api holds the types and keys that are written where other tools read
// them: the instance record, the inventory, labels, annotations and objects.
// The formats are those of docs/interop.md.
package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Object is a Kubernetes object as its JSON decodes: maps, slices, strings,
// bool, int64, float64 and nil. It is what unstructured.Unstructured wraps,
// without that package's weight.
type Object map[string]any

// APIVersion returns the field apiVersion, empty when it is not a string.
func (o Object) APIVersion() string { return str(o, "apiVersion") }

// Kind returns the field kind, empty when it is not a string.
func (o Object) Kind() string { return str(o, "kind") }

// Name returns metadata.name, empty when it is not a string.
func (o Object) Name() string { return str(o.metadata(), "name") }

// Namespace returns metadata.namespace, empty when it is not a string.
func (o Object) Namespace() string { return str(o.metadata(), "namespace") }

// Group returns the API group, empty for the core group.
func (o Object) Group() string {
	group, _, found := strings.Cut(o.APIVersion(), "/")
	if !found {
		return ""
	}
	return group
}

// Version returns the API version without its group.
func (o Object) Version() string {
	v := o.APIVersion()
	return v[strings.LastIndex(v, "/")+1:]
}

// Label returns one label, empty when it does not exist.
func (o Object) Label(key string) string {
	labels, _ := o.metadata()["labels"].(map[string]any)
	return str(labels, key)
}

// Annotation returns one annotation, empty when it does not exist.
func (o Object) Annotation(key string) string {
	annotations, _ := o.metadata()["annotations"].(map[string]any)
	return str(annotations, key)
}

// IsEnabled says whether an annotation is set to enabled.
func (o Object) IsEnabled(annotation string) bool { return o.Annotation(annotation) == EnabledValue }

// IsDisabled says whether an annotation is set to disabled.
func (o Object) IsDisabled(annotation string) bool { return o.Annotation(annotation) == DisabledValue }

// AnnotationKeys returns the keys of the annotations, sorted.
func (o Object) AnnotationKeys() []string {
	annotations, _ := o.metadata()["annotations"].(map[string]any)
	return slices.Sorted(maps.Keys(annotations))
}

// SetNamespace sets metadata.namespace.
func (o Object) SetNamespace(ns string) { o.ensure("metadata")["namespace"] = ns }

// SetLabel sets one label.
func (o Object) SetLabel(key, value string) {
	metadata := Object(o.ensure("metadata"))
	metadata.ensure("labels")[key] = value
}

// SetAnnotation sets one annotation.
func (o Object) SetAnnotation(key, value string) {
	metadata := Object(o.ensure("metadata"))
	metadata.ensure("annotations")[key] = value
}

// Is says whether the object is of a kind.
func (o Object) Is(group, kind string) bool { return o.Group() == group && o.Kind() == kind }

// IsSecret says whether the object is a Secret, whose data is not shown. A nil
// object is none.
func (o Object) IsSecret() bool { return o.Is("", "Secret") }

// ExtensionsGroup is the group of CustomResourceDefinitions.
const ExtensionsGroup = "apiextensions.k8s.io"

// IsCRD says whether the object is a CustomResourceDefinition.
func (o Object) IsCRD() bool { return o.Is(ExtensionsGroup, "CustomResourceDefinition") }

// IsNamespace says whether the object is a Namespace.
func (o Object) IsNamespace() bool { return o.Is("", "Namespace") }

// IsClaim says whether the object is a PersistentVolumeClaim.
func (o Object) IsClaim() bool { return o.Is("", "PersistentVolumeClaim") }

// GroupKind names a kind in all its versions.
type GroupKind struct{ Group, Kind string }

// GroupKind returns the kind of the object.
func (o Object) GroupKind() GroupKind { return GroupKind{o.Group(), o.Kind()} }

// IsProtected says whether deleting the object would take along what it holds:
// the data of a volume, the objects of a namespace or of a kind.
func (o Object) IsProtected() bool {
	return o.IsNamespace() || o.IsCRD() || o.IsClaim() || o.Is("", "PersistentVolume")
}

// IsKept says whether an apply leaves the object in the cluster when the module
// no longer renders it: it is protected, or annotated so.
func (o Object) IsKept() bool {
	return o.IsProtected() || o.Annotation(AnnotationPrune) == DisabledValue
}

// IsTerminating says whether the object is being deleted.
func (o Object) IsTerminating() bool { return o.metadata()["deletionTimestamp"] != nil }

// Ref names the object.
func (o Object) Ref() event.Object {
	return event.Object{Group: o.Group(), Version: o.Version(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name()}
}

// RemoveLabel removes a label, if it is there.
func (o Object) RemoveLabel(key string) {
	labels, _ := o.metadata()["labels"].(map[string]any)
	delete(labels, key)
}

// RemoveAnnotation removes one annotation.
func (o Object) RemoveAnnotation(key string) {
	annotations, _ := o.metadata()["annotations"].(map[string]any)
	delete(annotations, key)
}

// ID returns what identifies the object in a cluster.
func (o Object) ID() ID {
	return ID{Group: o.Group(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name()}
}

// DeepCopy returns a copy that shares nothing with o.
func (o Object) DeepCopy() Object { return deepCopy(map[string]any(o)).(map[string]any) }

func (o Object) metadata() map[string]any {
	m, _ := o["metadata"].(map[string]any)
	return m
}

func (o Object) ensure(key string) map[string]any {
	m, ok := o[key].(map[string]any)
	if !ok {
		m = map[string]any{}
		o[key] = m
	}
	return m
}

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = deepCopy(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = deepCopy(e)
		}
		return out
	}
	return v
}

// ID identifies an object in a cluster, whatever version it is written in.
// Namespace is empty for cluster-scoped objects.
type ID struct{ Group, Kind, Namespace, Name string }

// IDOf returns the id of what an event is about.
func IDOf(o event.Object) ID {
	return ID{Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// String returns Kind.group/namespace/name, without the parts that are empty.
func (id ID) String() string {
	var b strings.Builder
	b.WriteString(id.Kind)
	if id.Group != "" {
		b.WriteString("." + id.Group)
	}
	if id.Namespace != "" {
		b.WriteString("/" + id.Namespace)
	}
	b.WriteString("/" + id.Name)
	return b.String()
}

// colon stands for ":" in the names of RBAC objects, which Kubernetes allows
// there and the separators of an inventory entry do not.
const colon = "__"

// Entry returns the inventory's form of the identity with the version that the
// object was written in.
func (id ID) Entry(version string) Entry {
	name := strings.ReplaceAll(id.Name, ":", colon)
	return Entry{ID: strings.Join([]string{id.Namespace, name, id.Group, id.Kind}, "_"), Version: version}
}

// Entry is one line of an inventory: <namespace>_<name>_<group>_<kind> and a
// version.
type Entry struct {
	ID      string `json:"id"`
	Version string `json:"v"`
}

// Parse returns the identity that the entry stands for. Neither a namespace,
// a group nor a kind holds an underscore, so that the name is what lies
// between.
func (e Entry) Parse() (ID, error) {
	parts := strings.Split(e.ID, "_")
	n := len(parts)
	if n < 4 {
		return ID{}, fmt.Errorf("inventory entry %q is not <namespace>_<name>_<group>_<kind>", e.ID)
	}
	id := ID{
		Namespace: parts[0],
		Name:      strings.ReplaceAll(strings.Join(parts[1:n-2], "_"), colon, ":"),
		Group:     parts[n-2],
		Kind:      parts[n-1],
	}
	if id.Name == "" || id.Kind == "" {
		return ID{}, fmt.Errorf("inventory entry %q has no name or no kind", e.ID)
	}
	return id, nil
}

// IsToolAnnotation says whether an annotation is one of kustomize's or kpt's own.
func IsToolAnnotation(key string) bool {
	domain, _, _ := strings.Cut(key, "/")
	return strings.HasSuffix(domain, "config.kubernetes.io") || strings.HasSuffix(domain, "config.k8s.io")
}
