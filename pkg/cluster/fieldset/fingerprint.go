// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// Fingerprint returns a hash over all that decides whether an object is as the
// module wants it: the object as it is sent, which live object it is, which of
// its fields are ours, and their live values. As long as it stays, another
// apply would change nothing, and the server need not be asked. It is empty
// when only the server can tell.
//
// Comparing the rendered object with the live one instead would not do: the
// server rewrites quantities, fills in list keys and drops empty values. The
// fingerprint is taken of what the server answered to an apply, and compared
// with what it says later.
func (m Manager) Fingerprint(desired, live api.Object) string {
	ours := m.Applied(live)
	if ours == nil || m.hasOverridden(live) {
		return ""
	}
	fields, err := fieldsV1(ours)
	if err != nil {
		return ""
	}
	text, err := json.Marshal([]any{kube.UID(live), desired, fields, m.Values(live)})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Values returns the values of the fields of a live object that are ours, nil
// when none is. The server keeps what is sent as the stringData of a Secret in
// its data, and the fields of the former as ours.
func (m Manager) Values(live api.Object) Values {
	ours := m.Applied(live)
	if ours == nil {
		return nil
	}
	if text := ours.WithPrefix(field("stringData")); live.IsSecret() {
		ours = ours.Union(under(field("data"), text))
	}
	return valuesIn(live, ours)
}
