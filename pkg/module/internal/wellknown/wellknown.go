// SPDX-License-Identifier: Apache-2.0

// Package wellknown lists the cluster-scoped kinds of well-known projects.
package wellknown

import (
	"slices"
	"strings"
)

// row is the kinds of one group that have no namespace.
type row struct {
	project, group string
	kinds          []string
}

// IsClusterScoped says whether a kind is a cluster-scoped one of a well-known
// project. Group, kind and scope are those of the project's own CRDs.
func IsClusterScoped(group, kind string) bool {
	if group == "constraints.gatekeeper.sh" {
		return true // each ConstraintTemplate of Gatekeeper defines a kind
	}
	for _, r := range rows() {
		if r.group == group && slices.Contains(r.kinds, kind) {
			return true
		}
	}
	return false
}

// rows returns the list.
func rows() []row {
	var all []row
	for line := range strings.Lines(kinds) {
		if f := strings.Split(strings.TrimSpace(line), "|"); len(f) == 3 {
			all = append(all, row{f[0], f[1], strings.Fields(f[2])})
		}
	}
	return all
}

// kinds has a line for each group: project, group and kinds.
const kinds = `
Antrea|crd.antrea.io|AntreaAgentInfo AntreaControllerInfo ClusterGroup ClusterNetworkPolicy Egress ExternalIPPool IPPool SupportBundleCollection Tier Traceflow TrafficControl
Argo|argoproj.io|ClusterAnalysisTemplate ClusterWorkflowTemplate
AWS Load Balancer Controller|elbv2.k8s.aws|IngressClassParams
AWS VPC CNI|crd.k8s.amazonaws.com|ENIConfig
AWS VPC resource controller|vpcresources.k8s.aws|CNINode
Calico|crd.projectcalico.org|BGPConfiguration BGPFilter BGPPeer BlockAffinity CalicoNodeStatus ClusterInformation FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPAMBlock IPAMConfig IPAMHandle IPPool IPReservation KubeControllersConfiguration Tier
Calico API server|projectcalico.org|BGPConfiguration BGPFilter BGPPeer ClusterInformation FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPAMConfiguration IPPool IPReservation KubeControllersConfiguration Profile Tier
Capsule|capsule.clastix.io|CapsuleConfiguration GlobalTenantResource Tenant
cert-manager|cert-manager.io|ClusterIssuer
cert-manager approver-policy|policy.cert-manager.io|CertificateRequestPolicy
cert-manager AWS PCA issuer|awspca.cert-manager.io|AWSPCAClusterIssuer
cert-manager Google CAS issuer|cas-issuer.jetstack.io|GoogleCASClusterIssuer
cert-manager step issuer|certmanager.step.sh|StepClusterIssuer
cert-manager trust-manager|trust.cert-manager.io|Bundle
Chaos Mesh|chaos-mesh.org|RemoteCluster
Cilium and Tetragon|cilium.io|CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPNodeConfig CiliumBGPNodeConfigOverride CiliumBGPPeerConfig CiliumBGPPeeringPolicy CiliumCIDRGroup CiliumClusterwideEnvoyConfig CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy CiliumExternalWorkload CiliumIdentity CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool CiliumNode CiliumPodIPPool TracingPolicy
CloudNativePG|postgresql.cnpg.io|ClusterImageCatalog
Cluster API|runtime.cluster.x-k8s.io|ExtensionConfig
Cluster API IPAM|ipam.cluster.x-k8s.io|GlobalInClusterIPPool
Cluster API providers|infrastructure.cluster.x-k8s.io|AWSClusterControllerIdentity AWSClusterRoleIdentity AWSClusterStaticIdentity VSphereClusterIdentity VSphereDeploymentZone VSphereFailureDomain
Crossplane|apiextensions.crossplane.io|CompositeResourceDefinition Composition CompositionRevision EnvironmentConfig Usage
Crossplane|pkg.crossplane.io|Configuration ConfigurationRevision ControllerConfig DeploymentRuntimeConfig Function FunctionRevision ImageConfig Lock Provider ProviderRevision
Crossplane|protection.crossplane.io|ClusterUsage
Crossplane provider-helm|helm.crossplane.io|ProviderConfig ProviderConfigUsage
Crossplane provider-kubernetes|kubernetes.crossplane.io|ProviderConfig ProviderConfigUsage
CSI snapshotter|groupsnapshot.storage.k8s.io|VolumeGroupSnapshotClass VolumeGroupSnapshotContent
CSI snapshotter|snapshot.storage.k8s.io|VolumeSnapshotClass VolumeSnapshotContent
External Secrets|external-secrets.io|ClusterExternalSecret ClusterPushSecret ClusterSecretStore
External Secrets|generators.external-secrets.io|ClusterGenerator
Fluent Operator|fluentbit.fluent.io|ClusterFilter ClusterFluentBitConfig ClusterInput ClusterMultilineParser ClusterOutput ClusterParser
Fluent Operator|fluentd.fluent.io|ClusterFilter ClusterFluentdConfig ClusterInput ClusterOutput
Gatekeeper|expansion.gatekeeper.sh|ExpansionTemplate
Gatekeeper|externaldata.gatekeeper.sh|Provider
Gatekeeper|mutations.gatekeeper.sh|Assign AssignImage AssignMetadata ModifySet
Gatekeeper|syncset.gatekeeper.sh|SyncSet
Gatekeeper|templates.gatekeeper.sh|ConstraintTemplate
Gateway API|gateway.networking.k8s.io|GatewayClass
GKE|cloud.google.com|ComputeClass
Hierarchical namespaces|hnc.x-k8s.io|HNCConfiguration
Intel device plugins|deviceplugin.intel.com|DlbDevicePlugin DsaDevicePlugin FpgaDevicePlugin GpuDevicePlugin IaaDevicePlugin QatDevicePlugin SgxDevicePlugin
Kamaji|kamaji.clastix.io|DataStore
Karmada|cluster.karmada.io|Cluster
Karmada|config.karmada.io|ResourceInterpreterCustomization ResourceInterpreterWebhookConfiguration
Karmada|policy.karmada.io|ClusterOverridePolicy ClusterPropagationPolicy
Karpenter|karpenter.sh|NodeClaim NodePool Provisioner
Karpenter for AWS|karpenter.k8s.aws|AWSNodeTemplate EC2NodeClass
Karpenter for Azure|karpenter.azure.com|AKSNodeClass
KEDA|keda.sh|ClusterTriggerAuthentication
Knative|networking.internal.knative.dev|ClusterDomainClaim
Kong|configuration.konghq.com|KongClusterPlugin KongLicense KongVault
Koordinator|config.koordinator.sh|ClusterColocationProfile
Koordinator|scheduling.koordinator.sh|Device Reservation
Koordinator|slo.koordinator.sh|NodeMetric NodeSLO
Kube-OVN|kubeovn.io|IP ProviderNetwork SecurityGroup Subnet Vip Vlan Vpc
Kubewarden|policies.kubewarden.io|ClusterAdmissionPolicy ClusterAdmissionPolicyGroup PolicyServer
KubeDB|catalog.kubedb.com|ElasticsearchVersion MongoDBVersion MySQLVersion PostgresVersion RedisVersion
KubeVirt|instancetype.kubevirt.io|VirtualMachineClusterInstancetype VirtualMachineClusterPreference
KubeVirt|migrations.kubevirt.io|MigrationPolicy
KubeVirt CDI|cdi.kubevirt.io|CDI CDIConfig ObjectTransfer StorageProfile
KubeVirt network addons|networkaddonsoperator.network.kubevirt.io|NetworkAddonsConfig
Kueue|kueue.x-k8s.io|AdmissionCheck ClusterQueue Cohort MultiKueueCluster MultiKueueConfig ProvisioningRequestConfig ResourceFlavor Topology WorkloadPriorityClass
Kuma|kuma.io|Mesh Zone
Kyverno|kyverno.io|ClusterAdmissionReport ClusterBackgroundScanReport ClusterCleanupPolicy ClusterPolicy GlobalContextEntry
Kyverno|policies.kyverno.io|DeletingPolicy GeneratingPolicy ImageValidatingPolicy MutatingPolicy ValidatingPolicy
Kyverno|reports.kyverno.io|ClusterEphemeralReport
Logging operator|logging.banzaicloud.io|FluentbitAgent Logging LoggingRoute NodeAgent
Metacontroller|metacontroller.k8s.io|CompositeController DecoratorController
metrics-server|metrics.k8s.io|NodeMetrics
Network policy API|policy.networking.k8s.io|AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy
NMState|nmstate.io|NMState NodeNetworkConfigurationEnactment NodeNetworkConfigurationPolicy NodeNetworkState
Node Feature Discovery|nfd.k8s-sigs.io|NodeFeatureRule
Node maintenance operator|nodemaintenance.medik8s.io|NodeMaintenance
NVIDIA GPU operator|nvidia.com|ClusterPolicy NVIDIADriver
NVIDIA network operator|mellanox.com|HostDeviceNetwork IPoIBNetwork MacvlanNetwork NicClusterPolicy
Open Cluster Management|addon.open-cluster-management.io|AddOnTemplate ClusterManagementAddOn
Open Cluster Management|cluster.open-cluster-management.io|ManagedCluster ManagedClusterSet
Open Cluster Management|operator.open-cluster-management.io|ClusterManager Klusterlet
OpenKruise|apps.kruise.io|NodeImage NodePodProbe ResourceDistribution SidecarSet
OpenShift|config.openshift.io|APIServer Authentication Build ClusterOperator ClusterVersion Console DNS FeatureGate Image ImageContentPolicy ImageDigestMirrorSet ImageTagMirrorSet Infrastructure Ingress Network Node OAuth OperatorHub Project Proxy Scheduler
OpenShift|console.openshift.io|ConsoleCLIDownload ConsoleExternalLogLink ConsoleLink ConsoleNotification ConsolePlugin ConsoleQuickStart ConsoleYAMLSample
OpenShift|machineconfiguration.openshift.io|ContainerRuntimeConfig KubeletConfig MachineConfig MachineConfigPool
OpenShift|oauth.openshift.io|OAuthClient
OpenShift|project.openshift.io|Project ProjectRequest
OpenShift|quota.openshift.io|ClusterResourceQuota
OpenShift|security.openshift.io|SecurityContextConstraints
OpenShift|user.openshift.io|Group Identity User
Operator Lifecycle Manager|olm.operatorframework.io|ClusterCatalog ClusterExtension
Operator Lifecycle Manager|operators.coreos.com|OLMConfig Operator
Piraeus|piraeus.io|LinstorCluster LinstorNodeConnection LinstorSatellite LinstorSatelliteConfiguration
Policy reports|wgpolicyk8s.io|ClusterPolicyReport
Rancher|catalog.cattle.io|ClusterRepo
Rancher|management.cattle.io|AuthConfig Cluster Feature GlobalRole GlobalRoleBinding KontainerDriver NodeDriver RoleTemplate Setting Token User
SPIRE controller manager|spire.spiffe.io|ClusterFederatedTrustDomain ClusterSPIFFEID ClusterStaticEntry
Sveltos|config.projectsveltos.io|ClusterProfile
Sveltos|lib.projectsveltos.io|Classifier ClusterSet
Tekton|tekton.dev|ClusterTask
Tekton operator|operator.tekton.dev|TektonAddon TektonChain TektonConfig TektonDashboard TektonHub TektonInstallerSet TektonPipeline TektonResult TektonTrigger
Tekton Triggers|triggers.tekton.dev|ClusterInterceptor ClusterTriggerBinding
Tigera operator|operator.tigera.io|APIServer Goldmane ImageSet Installation TigeraStatus Whisker
TopoLVM|topolvm.io|LogicalVolume
Trivy operator|aquasecurity.github.io|ClusterComplianceReport ClusterConfigAuditReport ClusterInfraAssessmentReport ClusterRbacAssessmentReport ClusterSbomReport ClusterVulnerabilityReport
Volcano|nodeinfo.volcano.sh|Numatopology
Volcano|scheduling.volcano.sh|Queue
Volcano|topology.volcano.sh|HyperNode
Volume replication|replication.storage.openshift.io|VolumeReplicationClass
`
