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

// TestWithoutInternals holds that an error about a value of a wrong type names
// the value as the user wrote it, but none of a Secret.
func TestWithoutInternals(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{
		`.data.v: expected string, got &value.valueUnstructured{Value:1}`:                                                                                                             `.data.v: expected a string, got the number 1`,
		`.data.v: expected string, got &value.valueUnstructured{Value:true}`:                                                                                                          `.data.v: expected a string, got the boolean true`,
		`.spec.replicas: expected numeric, got &value.valueUnstructured{Value:"a b"}`:                                                                                                 `.spec.replicas: expected a number, got the string "a b"`,
		`.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"x":1}}` + "\n" + `.b: expected list, got &value.valueUnstructured{Value:interface {}(nil)}`: `.a: expected a string, got a map` + "\n" + `.b: expected a list, got null`,
		`.a: expected string, got &value.valueUnstructured{Value:[]interface {}{"x"}}`:                                                                                                `.a: expected a string, got a list`,
		`.spec: expected map, got &{text}`:  `.spec: expected a map, got the string "text"`,
		`.data.v: expected string, got [1]`: `.data.v: expected string, got [1]`,
	} {
		err := withoutInternals(apierrors.NewBadRequest(says))
		if err.Error() != want || !apierrors.IsBadRequest(err) {
			t.Errorf("%s: got %v, want %s", says, err, want)
		}
	}
	o := api.Object{"kind": "Secret", "stringData": map[string]any{"pin": int64(1234)}}
	err := withoutInternals(withoutSecret(o, apierrors.NewBadRequest(`.stringData.pin: expected string, got &value.valueUnstructured{Value:1234}`)))
	if want := ".stringData.pin: expected a string, got ***"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if withoutInternals(nil) != nil {
		t.Error("nil is an error")
	}
}
