// SPDX-License-Identifier: Apache-2.0

// Package kinds knows what is particular about single kinds: what others are
// built on, what would be lost with an object, and what the server allocates.
package kinds

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

const rbacGroup = "rbac.authorization.k8s.io"

// IsFoundation says whether other objects cannot be checked before this one is
// in place: they are planned and applied first.
func IsFoundation(o api.Object) bool { return o.IsCRD() || o.IsNamespace() || isRole(o) }

func isRole(o api.Object) bool {
	return o.Group() == rbacGroup && (o.Kind() == "Role" || o.Kind() == "ClusterRole")
}

// RoleOf returns the identity of the role that a binding binds.
func RoleOf(o api.Object) (api.ID, bool) {
	if o.Group() != rbacGroup || o.Kind() != "RoleBinding" && o.Kind() != "ClusterRoleBinding" {
		return api.ID{}, false
	}
	roleRef, _ := o["roleRef"].(map[string]any)
	kind, _ := roleRef["kind"].(string)
	name, _ := roleRef["name"].(string)
	id := api.ID{Group: rbacGroup, Kind: kind, Name: name}
	if kind == "Role" {
		id.Namespace = o.Namespace()
	}
	return id, true
}

// Defined returns the kind that a CustomResourceDefinition defines, and how its
// objects are reached, but for the version.
func Defined(crd api.Object) (schema.GroupKind, kube.Resource) {
	spec, _ := crd["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	kind, _ := names["kind"].(string)
	plural, _ := names["plural"].(string)
	return schema.GroupKind{Group: group, Kind: kind}, kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: group, Resource: plural},
		Kind:                 kind, Namespaced: spec["scope"] != "Cluster",
	}
}

// IsService says whether an object is a Service.
func IsService(o api.Object) bool { return o.Is("", "Service") }

// WithoutHeld returns a copy of an object without the addresses and ports that a
// live one holds. Others stay, so that the server says whether they are free.
func WithoutHeld(o, live api.Object) api.Object {
	c := o.DeepCopy()
	if !IsService(o) || !IsService(live) {
		return c
	}
	spec, _ := c["spec"].(map[string]any)
	held, _ := live["spec"].(map[string]any)
	for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
		if reflect.DeepEqual(spec[field], held[field]) {
			delete(spec, field)
		}
	}
	taken := map[string]bool{} // by its text, as one may be decoded as int64 and the other as float64
	for _, port := range portsOf(held) {
		taken[fmt.Sprint(port["nodePort"])] = true
	}
	for _, port := range portsOf(spec) {
		if taken[fmt.Sprint(port["nodePort"])] {
			delete(port, "nodePort")
		}
	}
	return c
}

func portsOf(spec map[string]any) []map[string]any {
	list, _ := spec["ports"].([]any)
	var ports []map[string]any
	for _, p := range list {
		if port, ok := p.(map[string]any); ok {
			ports = append(ports, port)
		}
	}
	return ports
}

// Renamed returns an object under another name, as one that could exist next to
// the live one.
func Renamed(o api.Object) api.Object {
	c := o.DeepCopy()
	name := o.Name()
	if len(name) > 50 { // leaves room for the suffix in a name of 63 characters
		name = name[:50]
	}
	c["metadata"].(map[string]any)["name"] = name + "-recreate"
	return c
}

// Recreated returns what a recreated object will be, from what the server made
// of a copy under another name: nil where parts of it follow from the name, or
// where the copy could not have what the live object holds.
func Recreated(o, elsewhere api.Object) api.Object {
	if elsewhere == nil || IsService(o) || o.Group() == "batch" {
		return nil
	}
	next := elsewhere.DeepCopy()
	next["metadata"].(map[string]any)["name"] = o.Name()
	return next
}

// AsRead returns a live object in the form in which it can be created again.
func AsRead(live api.Object) api.Object {
	c := live.DeepCopy()
	delete(c, "status")
	metadata := c["metadata"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"} {
		delete(metadata, field)
	}
	return c
}

// WithClaims adds to the reason why a StatefulSet is deleted and created again
// what happens to its claims: they are made of the templates once, and never
// changed.
func WithClaims(reason string, o, live api.Object) string {
	if !o.Is("apps", "StatefulSet") {
		return reason
	}
	path := []string{"spec", "volumeClaimTemplates"}
	templates, _, _ := unstructured.NestedSlice(live, path...)
	if len(templates) == 0 {
		return reason
	}
	policy, _, _ := unstructured.NestedString(live, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
	if policy == "Delete" {
		return reason + "; its PersistentVolumeClaims are deleted with it, as persistentVolumeClaimRetentionPolicy.whenDeleted says"
	}
	wanted, _, _ := unstructured.NestedSlice(o, path...)
	if reflect.DeepEqual(specsOf(templates), specsOf(wanted)) {
		return reason
	}
	return reason + "; its PersistentVolumeClaims stay as they are: the new template is only for claims that do not exist"
}

// specsOf returns what claim templates ask for, by name, without what the server
// defaults.
func specsOf(templates []any) map[string]any {
	specs := map[string]any{}
	for _, t := range templates {
		template, _ := t.(map[string]any)
		name, _, _ := unstructured.NestedString(template, "metadata", "name")
		spec, _, _ := unstructured.NestedMap(template, "spec")
		requests, _, _ := unstructured.NestedMap(spec, "resources", "requests")
		specs[name] = []any{spec["storageClassName"], spec["accessModes"], requests}
	}
	return specs
}

// IsAllocated says whether the server chooses the value of a field of a Service
// that the module leaves open.
func IsAllocated(o api.Object, path string) bool {
	return IsService(o) && slices.ContainsFunc([]string{".nodePort", ".healthCheckNodePort", ".clusterIP", ".clusterIPs[0]", ".clusterIPs[1]"},
		func(field string) bool { return strings.HasSuffix(path, field) })
}

// Unprotected says which objects are deleted although others may use what they
// hold.
type Unprotected struct {
	CRDs       bool     // with all objects of their kinds
	Volumes    bool     // PersistentVolumeClaims and PersistentVolumes, with their data
	Namespaces bool     // with all that is in them
	Kinds      []string // the same by kind, one of ProtectedKinds
}

// ProtectedKinds returns the kinds whose objects are not deleted unless that is
// asked for.
func ProtectedKinds() []string {
	return []string{"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"}
}

func (u Unprotected) allows(o api.Object) bool {
	if slices.Contains(u.Kinds, o.Kind()) {
		return true
	}
	switch o.Kind() {
	case "Namespace":
		return u.Namespaces
	case "CustomResourceDefinition":
		return u.CRDs
	}
	return u.Volumes
}

// KeepReason returns why a live object is not deleted, empty when it may be.
func KeepReason(live api.Object, also Unprotected) string {
	if live.IsDisabled(api.AnnotationPrune) {
		return "annotated with " + api.AnnotationPrune + ": " + api.DisabledValue
	}
	if live.IsProtected() && !also.allows(live) {
		return fmt.Sprintf("a %s is not deleted, it may hold what others use", live.Kind())
	}
	return ""
}

// KeepSize gives a claim the size of the live one when that is larger than what
// it asks for, and returns both.
func KeepSize(o, live api.Object) (kept, wanted string, smaller bool) {
	if !o.IsClaim() {
		return "", "", false
	}
	path := []string{"spec", "resources", "requests", "storage"}
	size, isSet, err := quantity(o, path)
	has, isLive, liveErr := quantity(live, path)
	if err != nil || liveErr != nil || !isSet || !isLive || size.Cmp(has) >= 0 {
		return "", "", false
	}
	value, _, _ := unstructured.NestedFieldCopy(live, path...)
	if unstructured.SetNestedField(o, value, path...) != nil {
		return "", "", false
	}
	return fmt.Sprint(value), size.String(), true
}

func quantity(o api.Object, path []string) (q resource.Quantity, found bool, err error) {
	value, found, err := unstructured.NestedFieldNoCopy(o, path...)
	if err != nil || !found {
		return q, false, err
	}
	q, err = resource.ParseQuantity(fmt.Sprint(value))
	return q, err == nil, err
}
