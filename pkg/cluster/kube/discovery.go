// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// DiscoveryError means that the server does not say what it serves in an API
// group: an aggregated API is down, for example. A kind of that group may or
// may not exist.
type DiscoveryError struct {
	GroupVersion schema.GroupVersion
	Err          error
}

// Error names the group.
func (e *DiscoveryError) Error() string {
	return fmt.Sprintf("the server does not say what it serves in %s: %v", e.GroupVersion, e.Err)
}

// Unwrap returns the server's reason.
func (e *DiscoveryError) Unwrap() error { return e.Err }

// IsUnavailable says whether err leaves open what exists: the server does not
// say what it serves in a group, or fails at a request. It is the opposite of
// NotFound and of IsUnknownKind.
func IsUnavailable(err error) bool {
	if _, ok := errors.AsType[*DiscoveryError](err); ok {
		return true
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && status.ErrStatus.Code >= http.StatusInternalServerError
}

// catalog is what the server says it serves, never read from a cache: neither
// one on disk nor an answer from before, since "it serves no such kind" is taken
// for "there are no such objects".
type catalog struct{ server discovery.DiscoveryInterface }

// served returns what every group version serves, and those that do not say it.
func (c catalog) served() ([]*metav1.APIResourceList, map[schema.GroupVersion]error, error) {
	_, lists, err := c.server.ServerGroupsAndResources()
	failed, err := partial(lists, err)
	return lists, failed, err
}

// partial splits the error of a discovery into the parts that failed and a
// failure of the whole. Every server has the group version v1: an answer without
// it is none, and must not stand for a server without kinds.
func partial(lists []*metav1.APIResourceList, err error) (map[schema.GroupVersion]error, error) {
	parts, isPartial := errors.AsType[*discovery.ErrGroupDiscoveryFailed](err)
	if err != nil && !isPartial {
		return nil, err
	}
	hasCore := slices.ContainsFunc(lists, func(l *metav1.APIResourceList) bool { return l.GroupVersion == "v1" && len(l.APIResources) > 0 })
	switch {
	case !hasCore:
		return nil, &DiscoveryError{GroupVersion: schema.GroupVersion{Version: "v1"}, Err: errors.New("the group version is missing from the answer")}
	case isPartial:
		return parts.Groups, nil
	}
	return nil, nil
}

// Served returns how objects of a kind are reached, as the server says now and
// not as a cache has it. The error is IsUnknownKind only when the server says
// what it serves in the group and the kind is not among it; when it does not
// say, the error is IsUnavailable.
func (c *Client) Served(gvk schema.GroupVersionKind) (Resource, error) {
	lists, failed, err := c.catalog.served()
	if err != nil {
		return Resource{}, c.explain(err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || gv.Group != gvk.Group || gvk.Version != "" && gv.Version != gvk.Version {
			continue
		}
		i := slices.IndexFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == gvk.Kind && !isSubresource(r) })
		if i >= 0 {
			r := list.APIResources[i]
			return Resource{GroupVersionResource: gv.WithResource(r.Name), Kind: r.Kind, Namespaced: r.Namespaced}, nil
		}
	}
	for gv, err := range failed {
		if gv.Group == gvk.Group && (gvk.Version == "" || gv.Version == gvk.Version) {
			return Resource{}, &DiscoveryError{GroupVersion: gv, Err: c.explain(err)}
		}
	}
	none := &meta.NoKindMatchError{GroupKind: gvk.GroupKind()}
	if gvk.Version != "" {
		none.SearchedVersions = []string{gvk.Version}
	}
	return Resource{}, none
}

func isSubresource(r metav1.APIResource) bool { return strings.Contains(r.Name, "/") }

// Namespaced returns every resource that can be listed in a namespace, each in
// the version that the server prefers, and an error for each group version of
// which the server does not say what it serves. No cache is read: what is
// returned decides what may be deleted.
func (c *Client) Namespaced() ([]Resource, []error, error) {
	lists, err := c.catalog.server.ServerPreferredResources()
	failed, err := partial(lists, err)
	if err != nil {
		return nil, nil, c.explain(err)
	}
	var unknown []error
	for gv, err := range failed {
		unknown = append(unknown, &DiscoveryError{GroupVersion: gv, Err: c.explain(err)})
	}
	var resources []Resource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range list.APIResources {
			if r.Namespaced && slices.Contains(r.Verbs, "list") {
				resources = append(resources, Resource{GroupVersionResource: gv.WithResource(r.Name), Kind: r.Kind, Namespaced: true})
			}
		}
	}
	return resources, unknown, nil
}
