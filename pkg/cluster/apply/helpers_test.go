// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

func gvk(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

func isNotFound(err error) bool  { return apierrors.IsNotFound(err) }
func isMissing(err error) bool   { return errors.Is(err, store.ErrNotFound) }
func isForbidden(err error) bool { return apierrors.IsForbidden(err) }

func nested(o api.Object, path ...string) (any, bool, error) {
	return unstructured.NestedFieldNoCopy(o, path...)
}

func resource(t *testing.T, w *world, apiVersion, kind string) kube.Resource {
	t.Helper()
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	r, err := w.client.Resource(gvk(group, version, kind))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
