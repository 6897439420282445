// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// TestWithoutSecret holds that an error of the server about a Secret shows
// nothing of what is in it, and keeps its type.
func TestWithoutSecret(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		field string
		value any
		says  string
	}{
		"a number":           {"stringData", map[string]any{"pin": int64(1234567890)}, `.stringData.pin: expected string, got &value.valueUnstructured{Value:1234567890}`},
		"a list":             {"stringData", map[string]any{"pin": []any{"topsecretlist"}}, `.stringData.pin: expected string, got [topsecretlist]`},
		"a map":              {"stringData", map[string]any{"pin": map[string]any{"x": "topsecretmap"}}, `.stringData.pin: expected string, got {"x":"topsecretmap"}`},
		"no map":             {"stringData", "supersecretstring", `.stringData: expected map, got &{supersecretstring}`},
		"encoded":            {"data", map[string]any{"pin": "c3VwZXJzZWNyZXQ="}, `data: invalid "supersecret" of c3VwZXJzZWNyZXQ=`},
		"of another object ": {"data", map[string]any{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := api.Object{"apiVersion": "v1", "kind": "Secret", tc.field: tc.value}
			err := withoutSecret(o, apierrors.NewBadRequest(tc.says))
			for _, secret := range []string{"1234567890", "topsecret", "supersecret", "c3VwZX"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v shows %s", err, secret)
				}
			}
			if !apierrors.IsBadRequest(err) || withoutSecret(o, nil) != nil {
				t.Errorf("%v has another type", err)
			}
			if plain := errors.New("supersecretstring"); withoutSecret(api.Object{"kind": "ConfigMap", tc.field: tc.value}, plain).Error() != plain.Error() {
				t.Error("the error about a ConfigMap is changed")
			}
		})
	}
}
