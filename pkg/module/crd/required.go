// SPDX-License-Identifier: Apache-2.0

package crd

import (
	"regexp"
	"strings"
)

// notRequired has fields that the OpenAPI of Kubernetes calls required and that
// its API server takes as empty when they are missing, by the end of the
// definition's name. TestVerdicts of package builtin holds all others of the
// stable kinds to the server; those below the line it does not reach.
const notRequired = `
apiextensions.v1.CustomResourceDefinitionVersion served
apps.v1.ControllerRevision revision
batch.v1.PodFailurePolicy rules
core.v1.ClusterTrustBundleProjection path
core.v1.Event involvedObject
core.v1.HTTPHeader value
core.v1.ISCSIPersistentVolumeSource lun
core.v1.ISCSIVolumeSource lun
core.v1.LimitRangeSpec limits
core.v1.PreferredSchedulingTerm preference
core.v1.ScaleIOPersistentVolumeSource secretRef
core.v1.ScaleIOVolumeSource secretRef
core.v1.SleepAction seconds
core.v1.Sysctl value
discovery.v1.ForNode name
discovery.v1.ForZone name
resource.v1.DeviceCapacity value
resource.v1.DeviceClass spec
resource.v1.ResourceClaim spec
resource.v1.ResourceClaimTemplate spec
resource.v1.ResourceClaimTemplateSpec spec
resource.v1.ResourcePool generation
storage.v1.CSIDriver spec
storage.v1.CSINode spec
storage.v1.CSINodeSpec drivers
storage.v1.TokenRequest audience

core.v1.ComponentCondition status type
core.v1.ConfigMapNodeConfigSource kubeletConfigKey name namespace
core.v1.EphemeralContainer name
core.v1.PodCertificateProjection keyType signerName
resource.v1.CapacityRequestPolicyRange min
resource.v1.Counter value
resource.v1.CounterSet counters name
resource.v1.DeviceCounterConsumption counterSet counters
resource.v1.DeviceTaint effect key
`

// unjudged matches the definitions of which nothing is called required: those
// of kinds that are not stable, and of questions to the server.
var unjudged = regexp.MustCompile(`\.v[0-9]+(alpha|beta)[0-9]+\.|\.api\.(authentication|authorization)\.|\.meta\.v1\.FieldSelectorRequirement$`)

// relax takes from the required fields of a definition those that the API
// server does not require.
func relax(name string, s map[string]any) {
	if unjudged.MatchString(name) {
		delete(s, "required")
		return
	}
	for line := range strings.Lines(notRequired) {
		row := strings.Fields(line)
		if len(row) == 0 || !strings.HasSuffix(name, "."+row[0]) {
			continue
		}
		for _, field := range row[1:] {
			removeRequired(s, field)
		}
	}
}
