// SPDX-License-Identifier: Apache-2.0

package clusteradvice_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/clusteradvice"
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
			hints := strings.Join(fail.HintsOf(fail.Advise(fmt.Errorf("Pod/x: %w", tc.err), clusteradvice.For)), "\n")
			if (hints == "") != (tc.want == "") || !strings.Contains(hints, tc.want) {
				t.Errorf("hint %q, want one with %q", hints, tc.want)
			}
		})
	}
}
