// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/base64"
	"encoding/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// withoutSecret returns an error about an object without the values that the
// object holds when it is a Secret. The server quotes what it refuses: a number
// in stringData, for example.
func withoutSecret(o api.Object, err error) error {
	if err == nil || !o.IsSecret() {
		return err
	}
	hidden := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		addValues(hidden, o[field])
	}
	return mask.Error(err, mask.Values(hidden))
}

// addValues adds the scalars below a value, also those that are encoded.
func addValues(to map[string]string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, below := range v {
			addValues(to, below)
		}
	case []any:
		for _, below := range v {
			addValues(to, below)
		}
	case string:
		to[v] = mask.Hidden
		if decoded, err := base64.StdEncoding.DecodeString(v); err == nil && len(decoded) > 0 {
			to[string(decoded)] = mask.Hidden
		}
	default: // a number, which JSON writes as the server does
		if text, err := json.Marshal(v); err == nil {
			to[string(text)] = mask.Hidden
		}
	}
}
