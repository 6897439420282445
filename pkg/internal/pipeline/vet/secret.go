// SPDX-License-Identifier: Apache-2.0

package vet

import (
	"encoding/base64"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// conceal takes what a Secret holds out of what is wrong with it: messages of
// the evaluator quote values.
func conceal(secret *yaml.RNode, problems []values.Problem) []values.Problem {
	hide := values.Hider(held(secret))
	for i, p := range problems {
		path := p.Path
		// A part of a value, or what the definition makes of one, is none that
		// hide knows.
		if !isPublic(path) && strings.ContainsAny(p.Message, "\"'`") {
			p.Message = "the value, which is not shown, is not what the definition asks for"
		}
		problems[i] = p.Replace(hide)
		if isHeld(path) {
			problems[i].Path = path // of the object, and not what it holds
		}
	}
	return problems
}

// isHeld says whether a path is that of what a Secret holds.
func isHeld(path string) bool {
	field, _, _ := strings.Cut(path, ".")
	return field == "data" || field == "stringData"
}

// isPublic says whether a path is that of a field that every Secret has, and that
// nothing secret stands in. kubectl keeps in an annotation what it has applied.
func isPublic(path string) bool {
	field, _, _ := strings.Cut(path, ".")
	return slices.Contains([]string{"apiVersion", "kind", "metadata", "type", "immutable"}, field) &&
		!strings.Contains(path, "last-applied-configuration")
}

// held returns the values of a Secret by their fields, those of its data as
// they stand there and decoded.
func held(secret *yaml.RNode) map[string]string {
	all := map[string]string{}
	for key, text := range secret.GetDataMap() {
		all["data."+key] = strings.TrimSpace(text)
		if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
			all["decoded data."+key] = string(decoded)
		}
	}
	plain := secret.Field("stringData")
	if plain.IsNilOrEmpty() || plain.Value.YNode().Kind != yaml.MappingNode {
		return all
	}
	for i, n := range plain.Value.Content() {
		if i%2 == 1 {
			all["stringData."+plain.Value.Content()[i-1].Value] = n.Value
		}
	}
	return all
}
