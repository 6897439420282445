// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// secretIn says which secret the plan of an instance holds, empty when it holds
// none: a Secret, a value that is secret by its source or its name, or what has the
// form of one. The names of Secrets are none.
func secretIn(in saved.Instance, sources []values.Source, hide func(string) string) (string, error) {
	named := map[string]bool{}
	for _, stage := range in.Rendering.Stages {
		for _, o := range stage.Objects {
			if o.IsSecret() {
				return o.Ref().String(), nil
			}
			if name := literalSecret(map[string]any(o)); name != "" {
				return fmt.Sprintf("the value of %q in %s", name, o.Ref()), nil
			}
			addNames(map[string]any(o), false, named)
		}
	}
	encoded, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	text := string(encoded)
	for _, s := range append(sources, merged(in)) {
		hidden := map[string]string{}
		for _, secret := range values.Secrets([]values.Source{s}) {
			if !named[secret] {
				hidden[secret] = mask.Hidden
			}
		}
		if mask.Values(hidden)(text) != text {
			return "a secret value of " + s.Name, nil
		}
	}
	if hide(text) != text {
		return "a value that is secret, or of the environment", nil
	}
	if mask.HasShape(text) {
		return "what has the form of a secret", nil
	}
	return "", nil
}

// merged returns the values of an instance, those of its module included.
func merged(in saved.Instance) values.Source {
	return values.Recorded("the values of the module", in.Values)
}

// literalSecret returns the name of an environment variable that names a secret
// and has its value next to the name, empty when there is none.
func literalSecret(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["name"].(string)
	if value, ok := m["value"].(string); ok && value != "" && mask.IsSecret(name) {
		return name
	}
	for _, child := range childrenOf(v) {
		if name := literalSecret(child); name != "" {
			return name
		}
	}
	return ""
}

// withoutNamed returns both states of an object without the values that are secret
// by their names, which show only whether they change. What is live may hold some
// that are not in what was rendered.
func withoutNamed(before, after api.Object) (old, next api.Object) {
	was, is := map[string]bool{}, map[string]bool{}
	addSecrets(map[string]any(before), false, was)
	addSecrets(map[string]any(after), false, is)
	return hideTexts(before, was, is, " (before)"), hideTexts(after, is, was, " (after)")
}

// hideTexts returns a state of an object with texts hidden, of which the other one
// has others.
func hideTexts(o api.Object, texts, other map[string]bool, when string) api.Object {
	if len(texts) == 0 {
		return o
	}
	hidden := map[string]string{}
	for text := range texts {
		if hidden[text] = mask.Hidden; !other[text] && len(other) > 0 {
			hidden[text] += when
		}
	}
	return mask.Object(o, mask.Values(hidden))
}

// addSecrets adds the texts that are secret by the name of their field, or of the
// environment variable whose value they are.
func addSecrets(v any, secret bool, to map[string]bool) {
	switch v := v.(type) {
	case string:
		if secret && v != "" && !strings.HasPrefix(v, mask.Hidden) {
			to[v] = true
		}
	case map[string]any:
		name, _ := v["name"].(string)
		for key, child := range v {
			if !isReference(key, child) {
				addSecrets(child, secret || namesSecret(key) || key == "value" && mask.IsSecret(name), to)
			}
		}
	case []any:
		for _, child := range v {
			addSecrets(child, secret, to)
		}
	}
}

// namesSecret says whether a field is likely to hold a secret. Kubernetes calls the
// names of labels and of taints keys.
func namesSecret(key string) bool {
	return key != "key" && key != "topologyKey" && mask.IsSecret(key)
}

// addNames adds the names of Secrets and of their keys that an object refers to.
func addNames(v any, refers bool, to map[string]bool) {
	if text, ok := v.(string); ok && refers {
		to[text] = true
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		for _, child := range childrenOf(v) {
			addNames(child, refers, to)
		}
		return
	}
	for key, child := range m {
		addNames(child, refers || isReference(key, child), to)
	}
}

// isReference says whether a field of a pod, or of what has the fields of one,
// refers to a Secret.
func isReference(key string, v any) bool {
	switch key {
	case "secretKeyRef", "secretRef", "secretName", "imagePullSecrets", "serviceAccountToken":
		return true
	case "secret": // of a volume
		m, _ := v.(map[string]any)
		return m["secretName"] != nil
	}
	return false
}

func childrenOf(v any) []any {
	switch v := v.(type) {
	case map[string]any:
		var children []any
		for _, key := range slices.Sorted(maps.Keys(v)) {
			children = append(children, v[key])
		}
		return children
	case []any:
		return v
	}
	return nil
}
