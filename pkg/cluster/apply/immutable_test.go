// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"testing"
)

// TestIsImmutable holds that only what the server calls immutable is a reason to
// recreate an object: neither a wrong value nor a request that admission denies.
func TestIsImmutable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{}}: field is immutable`:                                                              true,
		`StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template' are forbidden`:               true,
		`PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests for bound claims`:                               true,
		`Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.0.0.9"]: may not change once set`:                                                                  true,
		`RoleBinding.rbac.authorization.k8s.io "x" is invalid: roleRef: Invalid value: {}: cannot change roleRef`:                                                             true,
		`StorageClass.storage.k8s.io "fast" is invalid: parameters: Forbidden: updates to parameters are forbidden.`:                                                          true,
		`PriorityClass.scheduling.k8s.io "high" is invalid: value: Forbidden: may not be changed in an update.`:                                                               true,
		`Widget.example.com "x" is invalid: spec.size: Invalid value: 2: failed rule: self == oldSelf`:                                                                        true,
		`Deployment.apps "web" is invalid: spec.template.spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type`:                                       false,
		`Deployment.apps "web" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`:             false,
		`Service "web" is invalid: spec.ports[1].name: Duplicate value: "http"`:                                                                                               false,
		`deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'image' with binding 'image' denied request: the image is immutable: object.image == oldObject.image`: false,
		`admission webhook "image.example.com" denied the request: the image is immutable`:                                                                                    false,
	} {
		if got := isImmutable(errors.New(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
