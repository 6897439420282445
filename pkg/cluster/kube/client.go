// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Client talks to one cluster. It is safe for concurrent use. Its errors keep
// the server's own: apierrors.IsNotFound and so on work on them.
type Client struct {
	host    string
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	catalog catalog
	kinds   discovery.DiscoveryInterface // cached: not for what decides a delete
	rest    rest.Interface               // for the few paths that are no resource
	manager string
}

// WithFieldManager returns a client that writes under another name than
// api.FieldManager.
func (c *Client) WithFieldManager(name string) *Client {
	other := *c
	other.manager = name
	return &other
}

// FieldManager returns the name under which the client writes.
func (c *Client) FieldManager() string { return c.manager }

// Resource is how a kind of objects is reached.
type Resource struct {
	schema.GroupVersionResource
	Kind       string
	Namespaced bool
}

// ConfigMaps returns how ConfigMaps are reached. No server need be asked.
func ConfigMaps() Resource { return Core("ConfigMap", "configmaps") }

// Secrets returns how Secrets are reached. No server need be asked.
func Secrets() Resource { return Core("Secret", "secrets") }

// Core returns a namespaced resource of the core group.
func Core(kind, resource string) Resource {
	return Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: resource}, Kind: kind, Namespaced: true}
}

// ListKey is a kind in a namespace, which is empty for a cluster-scoped kind:
// what one LIST and one WATCH cover.
type ListKey struct {
	Resource  Resource
	Namespace string
}

// ListKey returns where the objects are that stand in a namespace according to
// their metadata.
func (r Resource) ListKey(ns string) ListKey {
	if !r.Namespaced {
		return ListKey{Resource: r}
	}
	return ListKey{Resource: r, Namespace: ns}
}

// IsUnknownKind says whether err means that the server does not serve the kind.
func IsUnknownKind(err error) bool { return meta.IsNoMatchError(err) }

// Resource returns how objects of a kind are reached. Of several versions, it
// takes the one named; an empty one stands for the server's preferred version.
// See IsUnknownKind.
func (c *Client) Resource(gvk schema.GroupVersionKind) (Resource, error) {
	resource, err := c.Mapped(gvk)
	if meta.IsNoMatchError(err) {
		// The mapper takes a group that failed for one without kinds.
		return c.Served(gvk)
	}
	return resource, err
}

// Mapped is Resource for who can do without: the server is not asked again about
// a kind that is not among those that it said last.
func (c *Client) Mapped(gvk schema.GroupVersionKind) (Resource, error) {
	var versions []string
	if gvk.Version != "" {
		versions = append(versions, gvk.Version)
	}
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), versions...)
	if err != nil {
		return Resource{}, c.explain(err)
	}
	return Resource{
		GroupVersionResource: mapping.Resource,
		Kind:                 mapping.GroupVersionKind.Kind,
		Namespaced:           mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}, nil
}

// LearnKinds asks the server for its kinds, unless a cache has them, so that who
// needs them next does not wait. What goes wrong is told then.
func (c *Client) LearnKinds() {
	_, _ = c.Mapped(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
}

// ForgetKinds makes the next Resource ask the server again. It is for the time
// after a CustomResourceDefinition was applied.
func (c *Client) ForgetKinds() { meta.MaybeResetRESTMapper(c.mapper) }

// Get returns one object. ns is ignored for cluster-scoped resources.
func (c *Client) Get(ctx context.Context, r Resource, ns, name string) (api.Object, error) {
	u, err := c.in(r, ns).Get(ctx, name, metav1.GetOptions{})
	return c.object(u, err)
}

// Selector selects objects by labels, by fields or, when it is zero, all.
type Selector struct{ Labels, Fields string }

// ByName selects the object with a name.
func ByName(name string) Selector { return Selector{Fields: "metadata.name=" + name} }

// SelectorError says that a text is not a label selector.
type SelectorError struct {
	Text string
	Err  error
}

func (e *SelectorError) Error() string { return fmt.Sprintf("label selector %q: %v", e.Text, e.Err) }

// Unwrap returns what is wrong.
func (e *SelectorError) Unwrap() error { return e.Err }

// CheckSelector returns a *SelectorError unless text is a label selector.
func CheckSelector(text string) error {
	if _, err := labels.Parse(text); err != nil {
		return &SelectorError{text, err}
	}
	return nil
}

func (s Selector) options() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: s.Labels, FieldSelector: s.Fields}
}

// List returns the objects that are selected, of one namespace or, when ns is
// empty, of all, and the resource version to watch from.
func (c *Client) List(ctx context.Context, r Resource, ns string, selector Selector) ([]api.Object, string, error) {
	list, err := c.in(r, ns).List(ctx, selector.options())
	if err != nil {
		return nil, "", c.explain(err)
	}
	objects := make([]api.Object, len(list.Items))
	for i := range list.Items {
		objects[i] = list.Items[i].Object
	}
	return objects, list.GetResourceVersion(), nil
}

// Watch sends the changes since a resource version of the objects that are
// selected, until ctx ends or the server closes the stream.
func (c *Client) Watch(ctx context.Context, r Resource, ns string, selector Selector, since string) (watch.Interface, error) {
	o := selector.options()
	o.ResourceVersion, o.AllowWatchBookmarks = since, true
	w, err := c.in(r, ns).Watch(ctx, o)
	if err != nil {
		return nil, c.explain(err)
	}
	return w, nil
}

// Mode says whether a request changes anything.
type Mode bool

// The modes. In a dry run the server does everything, admission included, but
// does not store the result.
const (
	DryRun Mode = true
	Real   Mode = false
)

func (m Mode) options() []string {
	if m == DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// Create creates an object; it is AlreadyExists when there is one.
func (c *Client) Create(ctx context.Context, r Resource, o api.Object, mode Mode) (api.Object, error) {
	u, err := c.in(r, o.Namespace()).Create(about(ctx, o), &unstructured.Unstructured{Object: o},
		metav1.CreateOptions{FieldManager: c.manager, DryRun: mode.options()})
	return c.written(o, u, err)
}

// Apply applies an object server-side as the client's field manager. With force it takes
// over the fields of others, without it is a Conflict when another client has
// given them another value. With metadata.uid and metadata.resourceVersion set,
// it is a Conflict when the object is another one, or was changed, meanwhile.
// See ApplyNew for an object that does not exist.
func (c *Client) Apply(ctx context.Context, r Resource, o api.Object, force bool, mode Mode) (api.Object, error) {
	body, err := applyBody(o)
	if err != nil {
		return nil, err
	}
	u, err := c.in(r, o.Namespace()).Patch(about(ctx, o), o.Name(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: c.manager, Force: &force, DryRun: mode.options(), FieldValidation: metav1.FieldValidationStrict,
	})
	return c.written(o, u, err)
}

// applyBody returns an object as the body of an apply. The server reads it as
// YAML, which refuses some characters of JSON and changes others: escaped, they
// arrive as they do in the dry run of a creation, which is JSON. With a key that
// it does not read in JSON the body is YAML.
func applyBody(o api.Object) ([]byte, error) {
	if hasLongKey(map[string]any(o)) {
		return api.ValueYAML(map[string]any(o)), nil
	}
	body, err := json.Marshal(o)
	return mask.JSON(body), err
}

// hasLongKey reports whether a value has a key that is too long for YAML when
// it is written as in JSON.
func hasLongKey(v any) bool {
	const longestEscape = 6
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if len(key) > api.LongestKey/longestEscape {
				if text, err := json.Marshal(key); err != nil || len(mask.JSON(text)) > api.LongestKey {
					return true
				}
			}
			if hasLongKey(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasLongKey)
	}
	return false
}

// SetManagers replaces metadata.managedFields of a live object; it is a
// Conflict when the object was changed meanwhile.
func (c *Client) SetManagers(ctx context.Context, r Resource, live api.Object, entries []any) (api.Object, error) {
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": ResourceVersion(live)},
	})
	if err != nil {
		return nil, err
	}
	u, err := c.in(r, live.Namespace()).Patch(about(ctx, live), live.Name(), types.JSONPatchType, patch,
		metav1.PatchOptions{FieldManager: c.manager})
	return c.object(u, err)
}

// Update replaces an object; it is a Conflict when it was changed meanwhile.
func (c *Client) Update(ctx context.Context, r Resource, o api.Object) (api.Object, error) {
	u, err := c.in(r, o.Namespace()).Update(about(ctx, o), &unstructured.Unstructured{Object: o},
		metav1.UpdateOptions{FieldManager: c.manager})
	return c.written(o, u, err)
}

// CheckUpdate asks the server, in a dry run, what an update would make of an
// object; it is a Conflict when the object was changed meanwhile.
func (c *Client) CheckUpdate(ctx context.Context, r Resource, o api.Object) (api.Object, error) {
	u, err := c.in(r, o.Namespace()).Update(about(ctx, o), &unstructured.Unstructured{Object: o},
		metav1.UpdateOptions{FieldManager: c.manager, DryRun: DryRun.options(), FieldValidation: metav1.FieldValidationStrict})
	return c.written(o, u, err)
}

// Delete deletes the object in this version and, in the background, what it
// owns. It is a Conflict when the object was changed meanwhile, or the name
// belongs to another object by now.
func (c *Client) Delete(ctx context.Context, r Resource, o api.Object) error {
	background := metav1.DeletePropagationBackground
	err := c.in(r, o.Namespace()).Delete(ctx, o.Name(), metav1.DeleteOptions{
		Preconditions: unchanged(o), PropagationPolicy: &background,
	})
	return c.explain(err)
}

// CheckDelete asks the server, in a dry run, whether the object with this uid
// may be deleted.
func (c *Client) CheckDelete(ctx context.Context, r Resource, o api.Object) error {
	uid := types.UID(UID(o))
	err := c.in(r, o.Namespace()).Delete(ctx, o.Name(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, DryRun: DryRun.options(),
	})
	return c.explain(err)
}

// DeleteUnchanged deletes the object in this very version. It is a Conflict
// when it was changed meanwhile.
func (c *Client) DeleteUnchanged(ctx context.Context, r Resource, o api.Object) error {
	err := c.in(r, o.Namespace()).Delete(ctx, o.Name(), metav1.DeleteOptions{Preconditions: unchanged(o)})
	return c.explain(err)
}

// unchanged returns the condition that an object is the one that was read.
func unchanged(o api.Object) *metav1.Preconditions {
	uid, version := types.UID(UID(o)), ResourceVersion(o)
	return &metav1.Preconditions{UID: &uid, ResourceVersion: &version}
}

// ServerVersion returns the server's version as it says it, for example
// v1.36.3 or v1.30.5-gke.100.
func (c *Client) ServerVersion(ctx context.Context) (string, error) {
	body, err := c.rest.Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", c.explain(err)
	}
	var info struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(body, &info); err != nil {
		return "", fmt.Errorf("server %s: its version is no JSON: %w", c.host, err)
	}
	return info.GitVersion, nil
}

// UID returns metadata.uid of an object that the server returned.
func UID(o api.Object) string { return metadata(o, "uid") }

// ResourceVersion returns metadata.resourceVersion of an object that the
// server returned.
func ResourceVersion(o api.Object) string { return metadata(o, "resourceVersion") }

func metadata(o api.Object, key string) string {
	s, _, _ := unstructured.NestedString(o, "metadata", key)
	return s
}

// written returns what the server answers to a write of an object. Its error
// shows nothing of a Secret.
func (c *Client) written(o api.Object, u *unstructured.Unstructured, err error) (api.Object, error) {
	got, err := c.object(u, err)
	return got, withoutInternals(withoutSecret(o, err))
}

func (c *Client) object(u *unstructured.Unstructured, err error) (api.Object, error) {
	if err != nil {
		return nil, c.explain(err)
	}
	return u.Object, nil
}
