// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/base64"
	"encoding/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// hiddenError is an error of the server about a Secret, which may quote what is
// in it: a number in stringData, for example.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }

// Unwrap returns the error as the server gave it, for its type and not for its
// text.
func (e *hiddenError) Unwrap() error { return e.err }

// withoutSecret returns an error about an object without the values that the
// object holds when it is a Secret.
func withoutSecret(o api.Object, err error) error {
	if err == nil || !o.IsSecret() {
		return err
	}
	hidden := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		addValues(hidden, o[field])
	}
	text := err.Error()
	if masked := mask.Values(hidden)(text); masked != text {
		return &hiddenError{masked, err}
	}
	return err
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
