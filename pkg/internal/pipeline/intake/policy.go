// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// Policy is a function config of kind Vet.
type Policy struct {
	Name string // as the user names it; empty for the check of built-in kinds
	Dir  string // to which its files are relative
	Text []byte
}

// NoDefinitionError says that a policy has no rules of its own, and that none
// are given.
type NoDefinitionError struct{ Policy string }

// Error names the policy.
func (e *NoDefinitionError) Error() string {
	return fmt.Sprintf("policy %q: no definition is given to check objects by: CUE has no rules of its own", e.Policy)
}

// Policies reads policies: files with a Vet, files in CUE and addresses of
// artifacts with such files. By the definitions, all objects are checked.
func Policies(ctx context.Context, names, definitions []string) ([]Policy, error) {
	var all []Policy
	used := false
	for _, name := range names {
		schema, dir := schemaOf(name)
		p := Policy{Name: name, Dir: dir}
		var err error
		switch {
		case schema == nil:
			var in input.Content
			in, err = input.Read(ctx, name)
			p.Text = in.Data
		case len(definitions) == 0:
			return nil, fail.Invalid(&NoDefinitionError{name})
		default:
			used = true
			p.Text, err = byDefinitions(schema, definitions)
		}
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", name, err)
		}
		all = append(all, p)
	}
	if !used && len(definitions) > 0 {
		return nil, fail.Invalidf("definition %q is of none of the policies: each is a Vet, which has its rules", definitions[0])
	}
	return all, nil
}

// schemaOf returns what a function config says of a policy in CUE, nil for one
// that is a config itself, and the directory to which its files are relative.
func schemaOf(name string) (schema map[string]any, dir string) {
	switch {
	case strings.Contains(name, "://"):
		return map[string]any{"url": name}, "."
	case filepath.Ext(name) != ".cue":
		return nil, filepath.Dir(name)
	case filepath.IsLocal(name):
		return map[string]any{"file": filepath.ToSlash(name)}, "."
	}
	return map[string]any{"file": filepath.Base(name)}, filepath.Dir(name)
}

func byDefinitions(schema map[string]any, definitions []string) ([]byte, error) {
	rules := make([]any, len(definitions))
	for i, d := range definitions {
		rules[i] = map[string]any{"definition": d}
	}
	return config(map[string]any{"schema": schema, "rules": rules})
}

// Builtin returns the policy that objects of Kubernetes' own kinds are what the
// API server of a version accepts.
func Builtin(version string) (Policy, error) {
	text, err := config(map[string]any{"kubernetes": version})
	return Policy{Dir: ".", Text: text}, err
}

func config(spec map[string]any) ([]byte, error) {
	return sigsyaml.Marshal(map[string]any{
		"apiVersion": krm.APIVersion, "kind": krm.KindVet, "metadata": map[string]any{"name": "policy"}, "spec": spec,
	})
}
