// SPDX-License-Identifier: Apache-2.0

package fieldset

import (
	"encoding/base64"
	"maps"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// contract is a field that a controller fills: its value is neither drift nor
// a conflict. The server keeps what it allocates and defaults itself, addresses
// and ports of Services or claim templates, when an apply leaves it out.
type contract struct {
	group, kind string
	path        []string // each stands for every item, by its name, of a list
	always      bool     // also when the module has a value for it
}

const each = "*"

// contracts is the whole list. It names no URL and no reference to a Service:
// what a webhook or an aggregated API calls is the module's alone.
func contracts() []contract {
	webhook := []string{"webhooks", each, "clientConfig", "caBundle"}
	return []contract{
		// The aggregation controller overwrites whatever is there.
		{"rbac.authorization.k8s.io", "ClusterRole", []string{"rules"}, true},
		{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", webhook, false},
		{"admissionregistration.k8s.io", "MutatingWebhookConfiguration", webhook, false},
		{"apiregistration.k8s.io", "APIService", []string{"spec", "caBundle"}, false},
		{"apiextensions.k8s.io", "CustomResourceDefinition", []string{"spec", "conversion", "webhook", "clientConfig", "caBundle"}, false},
	}
}

// contractOf returns the contract about an object, if there is one.
func contractOf(o api.Object) (contract, bool) {
	for _, c := range contracts() {
		if o.Is(c.group, c.kind) && (c.kind != "ClusterRole" || o["aggregationRule"] != nil) {
			return c, true
		}
	}
	return contract{}, false
}

// Prepare changes a rendered object into what is applied: without the fields
// that the module leaves to a controller, and with the stringData of a Secret
// as data. The server would keep a key of data that was written as stringData
// when it is removed from there: it is no field that an apply owns.
func Prepare(o api.Object) {
	if c, ok := contractOf(o); ok {
		c.leave(map[string]any(o), c.path)
	}
	if o.IsSecret() {
		encodeStringData(o)
	}
}

// leave removes the field at a path of v where it is empty, or always.
func (c contract) leave(v any, path []string) {
	m, _ := v.(map[string]any)
	next, found := m[path[0]]
	switch {
	case !found:
	case len(path) == 1 && (c.always || isBlank(next)):
		delete(m, path[0])
	case len(path) > 1 && path[1] == each:
		list, _ := next.([]any)
		for _, item := range list {
			c.leave(item, path[2:])
		}
	case len(path) > 1:
		c.leave(next, path[1:])
	}
}

func isBlank(v any) bool { return v == nil || v == "" }

// fields returns the fields of a live object that the contract is about.
func (c contract) fields(live api.Object) *fieldpath.Set {
	set := fieldpath.NewSet()
	collect(map[string]any(live), c.path, nil, set)
	return set
}

// collect inserts the paths that a path with each stands for.
func collect(v any, path []string, prefix fieldpath.Path, into *fieldpath.Set) {
	if len(path) == 0 {
		into.Insert(prefix)
		return
	}
	if path[0] != each {
		m, _ := v.(map[string]any)
		collect(m[path[0]], path[1:], append(prefix.Copy(), field(path[0])), into)
		return
	}
	list, _ := v.([]any)
	for _, item := range list {
		if m, _ := item.(map[string]any); m["name"] != nil {
			key := fieldpath.KeyElement(value.Field{Name: "name", Value: value.NewValueInterface(m["name"])})
			collect(item, path[1:], append(prefix.Copy(), key), into)
		}
	}
}

// encodeStringData moves the stringData of a Secret into its data, over what is
// there, as the server does. What is no text stays for the server to refuse.
func encodeStringData(o api.Object) {
	text, ok := o["stringData"].(map[string]any)
	data, isMap := o["data"].(map[string]any)
	if !ok || !isMap && o["data"] != nil {
		return
	}
	encoded := make(map[string]any, len(data)+len(text))
	maps.Copy(encoded, data)
	for key, v := range text {
		s, isText := v.(string)
		if !isText {
			return
		}
		encoded[key] = base64.StdEncoding.EncodeToString([]byte(s))
	}
	delete(o, "stringData")
	o["data"] = encoded
}
