// SPDX-License-Identifier: Apache-2.0

package api

// The API version and the kind of an instance record.
const (
	APIVersion   = "timoni.sh/v1alpha1"
	KindInstance = "Instance"
)

// Labels and annotations on objects (docs/interop.md, section 2). The values are
// EnabledValue or DisabledValue.
const (
	LabelInstanceName      = "instance.timoni.sh/name"
	LabelInstanceNamespace = "instance.timoni.sh/namespace"
	LabelBundle            = "bundle.timoni.sh/name"

	// AnnotationBundleNamespaces holds, on the record of an instance of a bundle,
	// the namespaces of all its instances.
	AnnotationBundleNamespaces = "bundle.timoni.sh/namespaces"
	// AnnotationBundlePosition holds the position of the instance in the order in
	// which those of its bundle are applied, counted from 1, and
	// AnnotationBundleDependsOn the names of those that it depends on.
	AnnotationBundlePosition  = "bundle.timoni.sh/position"
	AnnotationBundleDependsOn = "bundle.timoni.sh/depends-on"

	LabelName      = "app.kubernetes.io/name"
	LabelComponent = "app.kubernetes.io/component"
	LabelCreatedBy = "app.kubernetes.io/created-by"

	AnnotationForce    = "action.timoni.sh/force"
	AnnotationOneOff   = "action.timoni.sh/one-off"
	AnnotationPrune    = "action.timoni.sh/prune"
	AnnotationWait     = "action.timoni.sh/wait"
	AnnotationDeleting = "status.timoni.sh/deleting"
	AnnotationFailed   = "status.timoni.sh/failed" // holds the times of revisions that a run failed to apply

	EnabledValue  = "enabled"
	DisabledValue = "disabled"
)

// FieldManager is the name under which objects are applied. Every instance and
// the reference tool use the same, so that it tells nothing about ownership.
const FieldManager = "timoni"

// CreatedBy is the value of LabelCreatedBy on records and created namespaces.
const CreatedBy = "timoni"

// The Secret that is an instance's record (docs/interop.md, section 3).
const (
	RecordPrefix    = "timoni."
	RecordType      = "timoni.sh/instance"
	RecordComponent = "instance"
	RecordKey       = "instance" // the last revision that was applied in full
	PendingKey      = "pending"  // the revision that an unfinished upgrade wanted
)

// Instance is one revision of a module applied to a cluster. The order of the
// fields is the order in which they are written.
type Instance struct {
	Kind               string    `json:"kind"`
	APIVersion         string    `json:"apiVersion"`
	Metadata           Metadata  `json:"metadata"`
	Module             Module    `json:"module"`
	Values             string    `json:"values,omitempty"` // CUE text
	LastTransitionTime string    `json:"lastTransitionTime,omitempty"`
	Inventory          Inventory `json:"inventory"`
	Images             []string  `json:"images,omitempty"`
}

// Metadata names an instance. Labels hold the bundle's name where one owns it.
type Metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Selector returns the label selector of the instance's objects.
func (m Metadata) Selector() string {
	return LabelInstanceName + "=" + m.Name + "," + LabelInstanceNamespace + "=" + m.Namespace
}

// Module says what was applied. For a local module, Repository is the path as
// typed, Version ref.DevelVersion and Digest ref.UnknownDigest.
type Module struct {
	Name        string            `json:"name"` // the CUE module path
	Repository  string            `json:"repository"`
	Version     string            `json:"version"`
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Inventory lists the objects of an instance; the order carries no meaning.
type Inventory struct {
	Entries []Entry `json:"entries"`
}
