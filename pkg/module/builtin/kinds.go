// SPDX-License-Identifier: Apache-2.0

package builtin

import "strings"

// gone is an API that a version of Kubernetes does not serve any more.
type gone struct {
	apiVersion string
	kinds      []string
	minor      int    // of the first 1.x without it
	successor  string // empty: there is none
}

// removed has the apiVersion, the first minor version without it, the
// successor and the kinds, as the deprecation guide of Kubernetes lists them.
const removed = `
extensions/v1beta1 16 apps/v1 DaemonSet Deployment ReplicaSet
extensions/v1beta1 16 networking.k8s.io/v1 NetworkPolicy
extensions/v1beta1 16 - PodSecurityPolicy
extensions/v1beta1 22 networking.k8s.io/v1 Ingress
apps/v1beta1 16 apps/v1 ControllerRevision Deployment StatefulSet
apps/v1beta2 16 apps/v1 ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
admissionregistration.k8s.io/v1beta1 22 admissionregistration.k8s.io/v1 MutatingWebhookConfiguration ValidatingWebhookConfiguration
admissionregistration.k8s.io/v1beta1 34 admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
apiextensions.k8s.io/v1beta1 22 apiextensions.k8s.io/v1 CustomResourceDefinition
apiregistration.k8s.io/v1beta1 22 apiregistration.k8s.io/v1 APIService
authentication.k8s.io/v1beta1 22 authentication.k8s.io/v1 TokenReview
authorization.k8s.io/v1beta1 22 authorization.k8s.io/v1 LocalSubjectAccessReview SelfSubjectAccessReview SubjectAccessReview
certificates.k8s.io/v1beta1 22 certificates.k8s.io/v1 CertificateSigningRequest
coordination.k8s.io/v1beta1 22 coordination.k8s.io/v1 Lease
networking.k8s.io/v1beta1 22 networking.k8s.io/v1 Ingress IngressClass
rbac.authorization.k8s.io/v1beta1 22 rbac.authorization.k8s.io/v1 ClusterRole ClusterRoleBinding Role RoleBinding
scheduling.k8s.io/v1beta1 22 scheduling.k8s.io/v1 PriorityClass
storage.k8s.io/v1beta1 22 storage.k8s.io/v1 CSIDriver CSINode StorageClass VolumeAttachment
batch/v1beta1 25 batch/v1 CronJob
discovery.k8s.io/v1beta1 25 discovery.k8s.io/v1 EndpointSlice
events.k8s.io/v1beta1 25 events.k8s.io/v1 Event
autoscaling/v2beta1 25 autoscaling/v2 HorizontalPodAutoscaler
policy/v1beta1 25 policy/v1 PodDisruptionBudget
policy/v1beta1 25 - PodSecurityPolicy
node.k8s.io/v1beta1 25 node.k8s.io/v1 RuntimeClass
autoscaling/v2beta2 26 autoscaling/v2 HorizontalPodAutoscaler
flowcontrol.apiserver.k8s.io/v1beta1 26 flowcontrol.apiserver.k8s.io/v1 FlowSchema PriorityLevelConfiguration
storage.k8s.io/v1beta1 27 storage.k8s.io/v1 CSIStorageCapacity
flowcontrol.apiserver.k8s.io/v1beta2 29 flowcontrol.apiserver.k8s.io/v1 FlowSchema PriorityLevelConfiguration
flowcontrol.apiserver.k8s.io/v1beta3 32 flowcontrol.apiserver.k8s.io/v1 FlowSchema PriorityLevelConfiguration
`

func removals() []gone {
	var all []gone
	for line := range strings.Lines(removed) {
		if row := strings.Fields(line); len(row) > 3 {
			minor := 0
			for _, digit := range row[1] {
				minor = 10*minor + int(digit-'0')
			}
			all = append(all, gone{row[0], row[3:], minor, strings.TrimPrefix(row[2], "-")})
		}
	}
	return all
}
