// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
)

func TestOwnerOf(t *testing.T) {
	t.Parallel()
	for metadata, want := range map[string]string{
		"{}": "",
		"{labels: {instance.timoni.sh/name: a, instance.timoni.sh/namespace: b}}":                   "instance b/a",
		"{labels: {app.kubernetes.io/managed-by: Helm}}":                                            "Helm",
		"{annotations: {meta.helm.sh/release-name: a, meta.helm.sh/release-namespace: b}}":          "Helm release b/a",
		"{labels: {kustomize.toolkit.fluxcd.io/name: a, kustomize.toolkit.fluxcd.io/namespace: b}}": "Flux Kustomization b/a",
		"{labels: {helm.toolkit.fluxcd.io/name: a, helm.toolkit.fluxcd.io/namespace: b}}":           "Flux HelmRelease b/a",
		"{annotations: {argocd.argoproj.io/tracking-id: a}}":                                        "Argo CD application a",
		"{labels: {argocd.argoproj.io/instance: a}}":                                                "Argo CD application a",
		"{labels: {applyset.kubernetes.io/part-of: a}}":                                             "ApplySet a",
		"{ownerReferences: [{kind: ReplicaSet, name: a, controller: true}]}":                        "ReplicaSet/a",
		"{ownerReferences: [{kind: ReplicaSet, name: a}]}":                                          "",
	} {
		t.Run(metadata, func(t *testing.T) {
			t.Parallel()
			var o map[string]any
			if err := yaml.Unmarshal([]byte("metadata: "+metadata), &o); err != nil {
				t.Fatal(err)
			}
			if got := ownership.Of(o); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestKeepReason(t *testing.T) {
	t.Parallel()
	for object, kept := range map[string]bool{
		"{apiVersion: v1, kind: ConfigMap}": false,
		"{apiVersion: v1, kind: ConfigMap, metadata: {annotations: {action.timoni.sh/prune: disabled}}}": true,
		"{apiVersion: v1, kind: Namespace}":                                     true,
		"{apiVersion: v1, kind: PersistentVolumeClaim}":                         true,
		"{apiVersion: v1, kind: PersistentVolume}":                              true,
		"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}": true,
		"{apiVersion: example.com/v1, kind: Namespace}":                         false,
	} {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(object), &o); err != nil {
			t.Fatal(err)
		}
		if got := kinds.KeepReason(o, kinds.Unprotected{}); (got != "") != kept {
			t.Errorf("%s: %q, want a reason: %v", object, got, kept)
		}
	}
}
