// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// Examine finds the functions of a kustomization on disk, and what a build
// makes of it that leaves them out. It runs nothing of others', and asks no
// network: what would need that is left out of both builds.
func (k Kustomization) Examine(pluginHome string) (*guard.Report, error) {
	dir, file, err := filesys.MakeFsOnDisk().CleanedAbs(k.Dir)
	if err != nil || file != "" {
		return nil, fail.Hint(errors.New("is no directory"), "name one with a kustomization.yaml: the network is not asked")
	}
	// A guard that holds only where files elsewhere are refused is none.
	k.AnyFile, k.EnableExec, k.Helm = true, false, ""
	x := examination{kustomization: k, root: dir.String(), pluginHome: pluginHome, report: &guard.Report{}}
	missing, changed, err := x.missing(&x.report.LeftOut, &x.report.Complete)
	if err == nil {
		x.report.Missing, x.report.Changed = len(missing), changed
		x.report.Guard = x.propose(missing)
	}
	return x.report, nil
}

// missing returns the objects that are left out, and how many others differ.
func (x examination) missing(without, with *guard.Build) (missing []*resource.Resource, changed int, err error) {
	leftOut, err := x.build(false, without)
	complete, completeErr := x.build(true, with)
	if err = errors.Join(err, completeErr); err != nil {
		return nil, 0, err
	}
	for _, r := range complete.Resources() {
		other, err := leftOut.GetByCurrentId(r.CurId())
		if err != nil {
			missing = append(missing, r)
			continue
		}
		one, err := text(r)
		if err != nil {
			return nil, 0, err
		}
		two, err := text(other)
		if err != nil {
			return nil, 0, err
		}
		if one != two {
			changed++
		}
	}
	return missing, changed, nil
}

// text returns an object as YAML.
func text(r *resource.Resource) (string, error) {
	data, err := r.AsYAML()
	return string(data), err
}

// examination is a build that only looks.
type examination struct {
	kustomization Kustomization
	root          string // the absolute directory of the kustomization
	pluginHome    string
	complete      bool // run what kustomize would leave out
	bare          bool // names as the patches of the kustomization in root have them
	report        *guard.Report
	guard         proposal
}

func (x examination) build(complete bool, outcome *guard.Build) (resmap.ResMap, error) {
	x.complete = complete
	o := &overlay{FileSystem: filesys.MakeFsOnDisk(), build: x.kustomization, examination: &x}
	objects, err := o.run(x.kustomization.options(), x.kustomization.Dir)
	if err != nil {
		// What follows is both lists of objects, with the addresses of nodes.
		message, _, _ := strings.Cut(err.Error(), ": nodes unequal")
		outcome.Error = strings.Join(strings.Fields(message), " ")
		return nil, err
	}
	outcome.Objects = objects.Size()
	return objects, nil
}

// function returns what a function config is replaced by, nothing to leave it
// out. An exec function that is not to run stays, with nothing to execute: that
// is what kustomize makes of it without --enable-exec.
func (x examination) function(path, role string, r *resource.Resource) (string, error) {
	id := r.OrgId()
	if id.Group == "" && id.Version == konfig.BuiltinPluginApiVersion {
		if what := foreignFile(&r.RNode, id.Kind); what != "" {
			x.unseen(path, role, what)
			return "", nil
		}
		return text(r)
	}
	f := x.describe(path, role, r)
	x.add(f)
	if f.Runs == "" {
		return text(r) // kustomize refuses it
	}
	runs := f.Ours && id.Kind != krm.KindVet && (x.complete || !f.Skippable())
	if !runs && (x.complete || !f.Skippable()) {
		return "", nil // a Vet makes no object, and what it finds is not the question here
	}
	program := "exec: {}"
	if runs {
		program = fmt.Sprintf("exec: {path: %q}", x.kustomization.Executable)
		yes := yaml.NewRNode(&yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagBool, Value: "true"})
		if err := r.PipeE(yaml.LookupCreate(yaml.MappingNode, "spec", "registry"), yaml.SetField("offline", yes)); err != nil {
			return "", fmt.Errorf("%s %q: %w", id.Kind, id.Name, err)
		}
	}
	annotations := r.GetAnnotations()
	annotations[runtimeutil.FunctionAnnotationKey] = program
	if err := r.SetAnnotations(annotations); err != nil {
		return "", err
	}
	return text(r)
}

// describe returns what there is to know of a function config.
func (x examination) describe(path, role string, r *resource.Resource) guard.Function {
	id := r.OrgId()
	f := guard.Function{
		Kustomization: x.shown(path), Role: role, Root: filepath.Dir(path),
		APIVersion: r.GetApiVersion(), Kind: id.Kind, Name: id.Name, Ours: r.GetApiVersion() == krm.APIVersion,
	}
	spec, err := runtimeutil.GetFunctionSpec(&r.RNode)
	switch {
	case err != nil:
		f.Problem = err.Error()
	case spec == nil:
		f.Runs = guard.Plugin
		f.Program = filepath.Join(x.pluginHome, id.Group, id.Version, strings.ToLower(id.Kind), id.Kind)
	case spec.Container.Image != "":
		f.Runs, f.Program = guard.Container, spec.Container.Image
	default:
		f.Runs, f.Program, f.Arguments = guard.Exec, spec.Exec.Path, len(spec.Exec.Args)+len(spec.Exec.Env) > 0
	}
	if f.Ours && id.Kind == krm.KindVet && f.Problem == "" {
		f.Problem, f.Hint = vetProblem(role, f.Runs, r)
	}
	return f
}

// vetProblem returns what is wrong with a Vet in a list, which it cannot know.
func vetProblem(role, runs string, vet *resource.Resource) (problem, hint string) {
	emit, err := vet.GetString("spec.emit")
	if err != nil {
		emit = krm.EmitAll
	}
	switch {
	case role == generators:
		return "it sees no object among the generators", "list it under validators:"
	case role == transformers && emit == krm.EmitNone:
		return "with emit: None it deletes all objects among the transformers", "list it under validators:, or leave out emit"
	case role == validators && emit != krm.EmitNone && runs != guard.Plugin:
		return "without emit: None kustomize fails, because it passes the objects on", "set spec.emit: None"
	}
	return "", ""
}

// add notes a function, of which both builds and each overlay of a base tell.
func (x examination) add(f guard.Function) {
	if !slices.Contains(x.report.Functions, f) {
		x.report.Functions = append(x.report.Functions, f)
	}
}

func (x examination) unseen(path, field, what string) {
	entry := fmt.Sprintf("%s: %s: %s", x.shown(path), field, what)
	if !slices.Contains(x.report.Unseen, entry) {
		x.report.Unseen = append(x.report.Unseen, entry)
	}
}

// shown returns a path as the user names the directory of the kustomization.
func (x examination) shown(path string) string {
	rel, err := filepath.Rel(x.root, path)
	if err != nil {
		return path // another volume
	}
	return filepath.Join(x.kustomization.Dir, rel)
}
