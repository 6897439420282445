// SPDX-License-Identifier: Apache-2.0

package values

import (
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Reference names values in an object of the cluster: one key of the data of a
// ConfigMap or a Secret in the instance's namespace.
type Reference struct{ Kind, Name, Key string }

// The kinds of a Reference.
const (
	ConfigMap = "ConfigMap"
	Secret    = "Secret"
)

// ParseReference parses KIND/NAME:KEY as it is typed. The error is a
// *fail.InvalidError.
func ParseReference(s string) (Reference, error) {
	kind, rest, _ := strings.Cut(s, "/")
	name, key, _ := strings.Cut(rest, ":")
	r := Reference{Name: name, Key: key}
	switch strings.ToLower(kind) {
	case "configmap", "configmaps", "cm":
		r.Kind = ConfigMap
	case "secret", "secrets":
		r.Kind = Secret
	}
	if r.Kind == "" || name == "" || key == "" || strings.Contains(name, "/") {
		return Reference{}, fail.Invalidf("%q is not of the form configmap/NAME:KEY or secret/NAME:KEY", s)
	}
	return r, nil
}

// String returns the reference as it is typed.
func (r Reference) String() string { return strings.ToLower(r.Kind) + "/" + r.Name + ":" + r.Key }

// Source returns the source that the reference is, once its data was read. The
// extension of the key says the format, or else the content. What comes from a
// Secret is never quoted in an error.
func (r Reference) Source(data []byte) Source {
	return Source{Name: r.String(), Format: formatOf(r.Key), Data: data, Secret: r.Kind == Secret}
}
