// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// TestForbiddenHints holds that the hint of a 403 fits its cause.
func TestForbiddenHints(t *testing.T) {
	t.Parallel()
	gr := schema.GroupResource{Resource: "configmaps"}
	terminating := apierrors.NewForbidden(gr, "c", errors.New("unable to create new content in namespace apps because it is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: "NamespaceTerminating", Message: "namespace apps is being terminated", Field: "metadata.namespace",
	}}
	for name, tc := range map[string]struct {
		err  error
		want string // in the hint, empty for no hint
	}{
		"rights":      {apierrors.NewForbidden(gr, "c", errors.New(`User "u" cannot get resource "configmaps" in API group ""`)), "can-i"},
		"quota":       {apierrors.NewForbidden(gr, "c", errors.New("exceeded quota: q, requested: pods=1")), "describe resourcequota"},
		"terminating": {terminating, "kubectl wait --for=delete namespace/apps"},
		"webhook":     {apierrors.NewForbidden(gr, "c", errors.New(`admission webhook "x" denied the request: you cannot`)), "webhookconfigurations"},
		"policy":      {apierrors.NewForbidden(gr, "c", errors.New("ValidatingAdmissionPolicy 'x' with binding 'y' denied request")), "validatingadmissionpolicies"},
		"PodSecurity": {apierrors.NewForbidden(gr, "c", errors.New(`violates PodSecurity "restricted:latest": runAsNonRoot`)), "show-labels"},
		"unknown":     {apierrors.NewForbidden(gr, "c", errors.New("no")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hints := strings.Join(fail.HintsOf((&Client{}).explain(tc.err)), "\n")
			if (hints == "") != (tc.want == "") || !strings.Contains(hints, tc.want) {
				t.Errorf("hint %q, want one with %q", hints, tc.want)
			}
		})
	}
}

// TestJoin holds that a server that is away is told once.
func TestJoin(t *testing.T) {
	t.Parallel()
	away := func(text string) error { return &UnreachableError{Host: "h", Err: errors.New(text)} }
	other := errors.New(http.StatusText(http.StatusConflict))
	for want, errs := range map[string][]error{
		"the server h is not reachable: one":           {away("one"), away("two"), nil},
		"the server h is not reachable: one\nConflict": {away("one"), other, away("two")},
		"Conflict\nthe server h is not reachable: two": {other, away("two")},
	} {
		if got := Join(errs[0], errs[1:]...).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
