// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// configName is the name of the source that spec.values become.
const configName = "functionConfig"

// place is where something stands in a source. Some errors know no column: 0.
type place struct{ line, column int }

// inlineValues returns the values that a field of the config, whose parent is
// named, holds as a source, and the field that stands at each place of it. Kustomize passes the function config on as it likes, with
// keys sorted and without the name of its file, so that a line would tell the
// user nothing: errors name the field.
func inlineValues(n *yaml.Node, parent string) (values.Source, map[place]string, error) {
	unfold(n)
	// The name values in front keeps the reader of sources from taking a
	// single value of that name for it.
	data, err := yaml.Marshal(mapOf("values", n))
	if err != nil {
		return values.Source{}, nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return values.Source{}, nil, err
	}
	places := map[place]string{}
	locate(doc.Content[0], parent, places)
	return values.Source{Name: configName, Format: values.YAML, Data: data, Stored: true}, places, nil
}

func mapOf(key string, value *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: key}, value,
	}}
}

// unfold gives every value a line of its own.
func unfold(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	for _, child := range n.Content {
		unfold(child)
	}
}

// locate notes the path of every field below n.
func locate(n *yaml.Node, path string, places map[place]string) {
	places[place{n.Line, n.Column}] = path
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			locate(child, fmt.Sprintf("%s[%d]", path, i), places)
		case i%2 == 1:
			field := fields.Join(path, n.Content[i-1].Value)
			key := n.Content[i-1]
			places[place{key.Line, key.Column}] = field
			places[place{key.Line, 0}] = field
			locate(child, field, places)
		}
	}
}

// values returns the values that a ConfigMap of the stream holds.
func (c itemConfig) values(items []*yaml.RNode) (values.Source, error) {
	if len(items) == 0 {
		return values.Source{}, errGenerator()
	}
	found, err := only(items, "ConfigMap", c.Namespace, c.Name, isConfigMap)
	if err != nil {
		return values.Source{}, err
	}
	text, ok := found.GetDataMap()[c.Key]
	if !ok {
		return values.Source{}, fmt.Errorf("ConfigMap %q has no key %q%s", c.Name, c.Key,
			fail.Suggest(c.Key, slices.Sorted(maps.Keys(found.GetDataMap()))))
	}
	format := values.YAML
	switch path.Ext(c.Key) {
	case ".cue":
		format = values.CUE
	case ".json":
		format = values.JSON
	}
	return values.Source{Name: "ConfigMap/" + c.Name + ":" + c.Key, Format: format, Data: []byte(text)}, nil
}

// values returns an object of the stream as a value of its name. The
// annotations of kustomize's and kpt's are no part of it.
func (c streamConfig) values(items []*yaml.RNode) (values.Source, error) {
	if len(items) == 0 {
		return values.Source{}, errGenerator()
	}
	found, err := only(items, c.Kind, c.Namespace, c.Name, func(item *yaml.RNode) bool {
		group, _ := resid.ParseGroupVersion(item.GetApiVersion())
		return item.GetKind() == c.Kind && (c.Group == "" || group == c.Group)
	})
	if err != nil {
		return values.Source{}, err
	}
	object := found.Copy()
	annotations := object.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return api.IsToolAnnotation(key) })
	if err = object.SetAnnotations(annotations); err != nil {
		return values.Source{}, err
	}
	text, err := yaml.Marshal(mapOf("values", mapOf(cmp.Or(c.As, c.Name), object.YNode())))
	return values.Source{Name: c.Kind + "/" + c.Name, Format: values.YAML, Data: text}, err
}

// maxNames is how many names are shown where one is unknown.
const maxNames = 10

// only returns the one item that passes the test and has the name; the
// namespace is needed only where two have it. The kind is for errors.
func only(items []*yaml.RNode, kind, namespace, name string, isKind func(*yaml.RNode) bool) (*yaml.RNode, error) {
	var found []*yaml.RNode
	var names []string
	for _, item := range items {
		switch {
		case !isKind(item):
		case item.GetName() == name && (namespace == "" || item.GetNamespace() == namespace):
			found = append(found, item)
		default:
			names = append(names, item.GetName())
		}
	}
	switch len(found) {
	case 0:
		if _, near := fail.Nearest(name, names); !near && len(names) > maxNames {
			names = nil
		}
		err := fmt.Errorf("there is no %s %q among the objects%s", kind, path.Join(namespace, name), fail.Suggest(name, names))
		return nil, fail.Hint(err, "objects have their names with prefix and suffix when kustomize starts the function")
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%d of the objects are a %s %q: say which by its namespace", len(found), kind, name)
}
