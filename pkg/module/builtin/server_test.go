// SPDX-License-Identifier: Apache-2.0

package builtin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }

// readObjects returns the objects of testdata, for which nothing is to be said.
func readObjects(t *testing.T) []api.Object {
	t.Helper()
	data, err := os.ReadFile("testdata/objects.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []api.Object
	for document := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var o map[string]any
		if err = utilyaml.Unmarshal(document, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// TestRightObjects knows what is right without a server.
func TestRightObjects(t *testing.T) {
	t.Parallel()
	schemas, err := builtin.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range readObjects(t) {
		for _, p := range schemas.Check([]api.Object{o}, "1.36.3") {
			t.Errorf("%s", p)
		}
	}
}

// TestVerdicts spoils each field of objects with many of them, and holds what is
// said of the result to a dry run of the API server: what that takes is right,
// and a field that is unknown, given twice, of another type or missing is found
// wherever the server finds it.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	server, err := newServer(kit.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := builtin.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var refused atomic.Int64
	slots := make(chan struct{}, 8)
	for _, o := range readObjects(t) {
		if err = server.verdict(t.Context(), o); err != nil {
			t.Errorf("%s: %v", o.ID(), err)
		}
		spoil(o, func(class, path string, bad api.Object) {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				theirs, ours := server.verdict(t.Context(), bad), schemas.Check([]api.Object{bad}, "1.36.3")
				if theirs != nil {
					refused.Add(1)
				}
				if (theirs == nil && len(ours) > 0) || (len(ours) == 0 && isClaimed(path, theirs)) {
					t.Errorf("%s %s: %s:\nours:   %v\nserver: %v", o.ID(), path, class, ours, theirs)
				}
			})
		})
	}
	wg.Wait()
	if n := refused.Load(); n < 2000 {
		t.Errorf("the server refused %d objects: too few to show anything", n)
	}
}

// isClaimed says whether what the server says must be found here, too. What a
// CRD says of its schema is left to it, and null in lists.
func isClaimed(path string, theirs error) bool {
	if theirs == nil || strings.Contains(path, "openAPIV3Schema.properties.") {
		return false
	}
	message := theirs.Error()
	isStructure := strings.Contains(message, "typed patch object") || strings.Contains(message, "to proper version: ")
	return isStructure && !strings.Contains(message, "null")
}

// spoil calls yield with copies of an object, in each of which one field is
// wrong, or may be.
func spoil(o api.Object, yield func(class, path string, bad api.Object)) {
	visit(o, "", func(path string, parent, v any, set func(parent, v any)) {
		if strings.HasPrefix(path, ".apiVersion") || strings.HasPrefix(path, ".kind") || path == ".metadata" || path == ".metadata.name" {
			return
		}
		with := func(class string, v any) {
			set(parent, v)
			yield(class, path, o.DeepCopy())
		}
		defer set(parent, v)
		with("removed", nil)
		switch v := v.(type) {
		case string:
			with("of another type", int64(7))
			with("of another type", map[string]any{})
			with("another value", "xYz")
		case map[string]any:
			with("of another type", "s")
			more := maps.Clone(v)
			more["nope"] = "x"
			with("unknown", more)
		case []any:
			with("of another type", map[string]any{})
			if len(v) > 0 {
				with("repeated", append(slices.Clone(v), v[0]))
			}
		default:
			with("of another type", "s")
			with("of another type", []any{})
			with("another value", 1.5)
		}
	})
}

// visit calls found with each field and item below v, and how to change it.
func visit(v any, path string, found func(path string, parent, v any, set func(parent, v any))) {
	switch v := v.(type) {
	case api.Object:
		visit(map[string]any(v), path, found)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			old := v[name]
			found(path+"."+name, v, old, func(parent, v any) {
				if m, ok := parent.(map[string]any); ok && v == nil {
					delete(m, name)
				} else if ok {
					m[name] = v
				}
			})
			visit(old, path+"."+name, found)
		}
	case []any:
		for i, old := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			found(at, v, old, func(parent, v any) {
				if list, ok := parent.([]any); ok {
					list[i] = v
				}
			})
			visit(old, at, found)
		}
	}
}

// server is the API server as a judge.
type server struct {
	mapper meta.RESTMapper
	client dynamic.Interface
}

func newServer(cp *kit.ControlPlane) (*server, error) {
	config, err := cp.REST()
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	d, errDiscovery := discovery.NewDiscoveryClientForConfig(config)
	client, errClient := dynamic.NewForConfig(config)
	if err = errors.Join(errDiscovery, errClient); err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(d)
	return &server{mapper: restmapper.NewDiscoveryRESTMapper(groups), client: client}, err
}

// verdict is what a dry run of an apply says.
func (s *server) verdict(ctx context.Context, o api.Object) error {
	gk := o.GroupKind()
	mapping, err := s.mapper.RESTMapping(schema.GroupKind{Group: gk.Group, Kind: gk.Kind}, o.Version())
	if err != nil {
		return err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = s.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = s.client.Resource(mapping.Resource).Namespace("default")
	}
	force := true
	_, err = resource.Patch(ctx, o.Name(), types.ApplyPatchType, body, metav1.PatchOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: "verdicts", Force: &force, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}
