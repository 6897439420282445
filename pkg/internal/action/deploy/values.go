// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// readValues returns the sources with the references among them read from the
// instance's namespace.
func readValues(ctx context.Context, client *kube.Client, namespace string, sources []values.Source) (read []values.Source, err error) {
	read = slices.Clone(sources)
	for i, s := range sources {
		if s.Reference == nil {
			continue
		}
		if read[i], err = ReadReference(ctx, client, namespace, *s.Reference); err != nil {
			return nil, err
		}
	}
	return read, nil
}

// ReadReference reads values from an object in a namespace. An error names the
// reference and never what it holds.
func ReadReference(ctx context.Context, client *kube.Client, namespace string, r values.Reference) (values.Source, error) {
	data, err := readReference(ctx, client, namespace, r)
	if err != nil {
		return values.Source{}, fmt.Errorf("values from %s: %w", r, err)
	}
	return r.Source(data), nil
}

func readReference(ctx context.Context, client *kube.Client, namespace string, r values.Reference) ([]byte, error) {
	resource := kube.Secrets()
	if r.Kind == values.ConfigMap {
		resource = kube.ConfigMaps()
	}
	object, err := client.Get(ctx, resource, namespace, r.Name)
	if err != nil {
		return nil, err
	}
	if r.Kind == values.ConfigMap {
		if text, ok := entries(object, "data")[r.Key].(string); ok {
			return []byte(text), nil
		}
		return decode(object, "binaryData", r.Key)
	}
	return decode(object, "data", r.Key)
}

// decode returns one key of a field whose values are in base64.
func decode(object api.Object, field, key string) ([]byte, error) {
	text, ok := entries(object, field)[key].(string)
	if !ok {
		return nil, noKey(object, key)
	}
	return base64.StdEncoding.DecodeString(text)
}

func entries(object api.Object, field string) map[string]any {
	m, _ := object[field].(map[string]any)
	return m
}

// noKey says which keys there are: they are names, also in a Secret.
func noKey(object api.Object, key string) error {
	keys := slices.Sorted(maps.Keys(entries(object, "data")))
	keys = slices.AppendSeq(keys, maps.Keys(entries(object, "binaryData")))
	slices.Sort(keys)
	err := fmt.Errorf("there is no key %q in it", key)
	if nearest, ok := fail.Nearest(key, keys); ok {
		return fail.Hint(err, "did you mean %q?", nearest)
	}
	if len(keys) > 0 {
		return fail.Hint(err, "the keys are: %q", keys)
	}
	return err
}
