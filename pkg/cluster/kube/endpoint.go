// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// endpoint is a resource in a namespace. Its writes pass the fence of their
// context, and an answer that is not a Kubernetes object is an error: a proxy
// that answers 200 to everything has deleted nothing.
type endpoint struct {
	dynamic.ResourceInterface
	rest      rest.Interface
	resource  Resource
	namespace string
}

func (c *Client) in(r Resource, ns string) endpoint {
	if r.Namespaced && ns != "" {
		return endpoint{ResourceInterface: c.dynamic.Resource(r.GroupVersionResource).Namespace(ns), rest: c.rest, resource: r, namespace: ns}
	}
	return endpoint{ResourceInterface: c.dynamic.Resource(r.GroupVersionResource), rest: c.rest, resource: r}
}

// Get implements dynamic.ResourceInterface.
func (e endpoint) Get(ctx context.Context, name string, o metav1.GetOptions, sub ...string) (*unstructured.Unstructured, error) {
	u, err := e.ResourceInterface.Get(ctx, name, o, sub...)
	return e.checked(u, name, err)
}

// List implements dynamic.ResourceInterface.
func (e endpoint) List(ctx context.Context, o metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	list, err := e.ResourceInterface.List(ctx, o)
	if err != nil {
		return nil, err
	}
	// Anything that has a kind decodes into a list, which would be an empty one.
	if kind := list.GetKind(); kind == "Status" || kind == e.resource.Kind {
		return nil, fmt.Errorf("the answer to a list of %s is a %s, expected a list", e.resource.Resource, kind)
	}
	return list, nil
}

// Create implements dynamic.ResourceInterface.
func (e endpoint) Create(ctx context.Context, u *unstructured.Unstructured, o metav1.CreateOptions, sub ...string) (*unstructured.Unstructured, error) {
	return e.write(ctx, o.DryRun, u.GetName(), func(ctx context.Context) (*unstructured.Unstructured, error) {
		return e.ResourceInterface.Create(ctx, u, o, sub...)
	})
}

// Update implements dynamic.ResourceInterface.
func (e endpoint) Update(ctx context.Context, u *unstructured.Unstructured, o metav1.UpdateOptions, sub ...string) (*unstructured.Unstructured, error) {
	return e.write(ctx, o.DryRun, u.GetName(), func(ctx context.Context) (*unstructured.Unstructured, error) {
		return e.ResourceInterface.Update(ctx, u, o, sub...)
	})
}

// Patch implements dynamic.ResourceInterface.
func (e endpoint) Patch(ctx context.Context, name string, t types.PatchType, data []byte, o metav1.PatchOptions, sub ...string) (*unstructured.Unstructured, error) {
	return e.write(ctx, o.DryRun, name, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return e.ResourceInterface.Patch(ctx, name, t, data, o, sub...)
	})
}

// Apply implements dynamic.ResourceInterface.
func (e endpoint) Apply(ctx context.Context, name string, u *unstructured.Unstructured, o metav1.ApplyOptions, sub ...string) (*unstructured.Unstructured, error) {
	return e.write(ctx, o.DryRun, name, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return e.ResourceInterface.Apply(ctx, name, u, o, sub...)
	})
}

// Delete implements dynamic.ResourceInterface, whose own Delete does not read
// the answer.
func (e endpoint) Delete(ctx context.Context, name string, o metav1.DeleteOptions, _ ...string) error {
	send := func(ctx context.Context) error { return e.sendDelete(ctx, name, o) }
	if o.DryRun != nil {
		return send(ctx)
	}
	return fenced(ctx, send)
}

func (e endpoint) sendDelete(ctx context.Context, name string, o metav1.DeleteOptions) error {
	for _, segment := range []string{e.namespace, name} {
		if problems := rest.IsValidPathSegmentName(segment); problems != nil {
			return fmt.Errorf("invalid name %q: %s", segment, strings.Join(problems, ", "))
		}
	}
	if name == "" {
		return fmt.Errorf("delete one of %s: its name is empty", e.resource.Resource)
	}
	o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	result := e.rest.Delete().AbsPath(e.path(name)...).SetHeader("Content-Type", "application/json").Body(body).Do(ctx)
	if err := result.Error(); err != nil {
		return err
	}
	return e.checkDeleted(result, name)
}

// checkDeleted returns an error for an answer to a delete that is neither a
// success nor the object, which may stay until its finalizers are removed.
func (e endpoint) checkDeleted(result rest.Result, name string) error {
	answer, err := result.Raw()
	if err != nil {
		return err
	}
	var u unstructured.Unstructured
	if err = u.UnmarshalJSON(answer); err != nil {
		return fmt.Errorf("the answer to the delete of %s %q is not a Kubernetes object: %w", e.resource.Resource, name, err)
	}
	if u.GetKind() == "Status" && u.Object["status"] == metav1.StatusSuccess {
		return nil
	}
	_, err = e.checked(&u, name, nil)
	return err
}

func (e endpoint) path(name string) []string {
	path := []string{"api", e.resource.Version}
	if e.resource.Group != "" {
		path = []string{"apis", e.resource.Group, e.resource.Version}
	}
	if e.namespace != "" {
		path = append(path, "namespaces", e.namespace)
	}
	return append(path, e.resource.Resource, name)
}

// write sends a write, or its dry run, and checks the answer.
func (e endpoint) write(ctx context.Context, dryRun []string, name string, send func(context.Context) (*unstructured.Unstructured, error)) (u *unstructured.Unstructured, err error) {
	sendChecked := func(ctx context.Context) error {
		u, err = send(ctx)
		u, err = e.checked(u, name, err)
		return err
	}
	if dryRun != nil {
		err = sendChecked(ctx)
	} else {
		err = fenced(ctx, sendChecked)
	}
	return u, err
}

// checked returns an error for an answer that is not the object that was asked
// for.
func (e endpoint) checked(u *unstructured.Unstructured, name string, err error) (*unstructured.Unstructured, error) {
	if err != nil {
		return nil, err
	}
	wrongKind := e.resource.Kind != "" && u.GetKind() != e.resource.Kind
	if wrongKind || u.GetName() != name {
		return nil, fmt.Errorf("the answer for %s %q is the %s %q, expected the object", e.resource.Resource, name, u.GetKind(), u.GetName())
	}
	return u, nil
}
