// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/guard"
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
	runs := f.Ours && id.Kind != kindVet && (x.complete || !f.Skippable())
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
		APIVersion: r.GetApiVersion(), Kind: id.Kind, Name: id.Name, Ours: r.GetApiVersion() == apiVersion,
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
	if f.Ours && id.Kind == kindVet && f.Problem == "" {
		f.Problem, f.Hint = vetProblem(role, f.Runs, r)
	}
	return f
}

// vetProblem returns what is wrong with a Vet in a list, which it cannot know.
func vetProblem(role, runs string, vet *resource.Resource) (problem, hint string) {
	emit, err := vet.GetString("spec.emit")
	if err != nil {
		emit = emitAll
	}
	switch {
	case role == generators:
		return "it sees no object among the generators", "list it under validators:"
	case role == transformers && emit == emitNone:
		return "with emit: None it deletes all objects among the transformers", "list it under validators:, or leave out emit"
	case role == validators && emit != emitNone && runs != guard.Plugin:
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

// confine takes from a kustomization what kustomize would ask the network for,
// or another program.
func (x examination) confine(fs filesys.FileSystem, path string, k *types.Kustomization) {
	k.FixKustomization()
	if k.MetaData == nil && k.CheckEmpty() == nil {
		k.MetaData = &types.ObjectMeta{Name: "confined"} // what is left may be empty, which is an error
	}
	c := confinement{examination: x, fs: fs, path: path}
	c.locals("resources", &k.Resources)
	c.locals("components", &k.Components)
	c.locals(generators, &k.Generators)
	c.locals(transformers, &k.Transformers)
	c.locals(validators, &k.Validators)
	one := func(file string) []string { return []string{file} }
	files(c, "crds", &k.Crds, one)
	files(c, "configurations", &k.Configurations, one)
	patch := func(p types.Patch) []string { return []string{p.Path} }
	files(c, "patches", &k.Patches, patch)
	files(c, "patchesJson6902", &k.PatchesJson6902, patch)
	files(c, "patchesStrategicMerge", &k.PatchesStrategicMerge, func(p types.PatchStrategicMerge) []string { return one(string(p)) })
	files(c, "replacements", &k.Replacements, func(r types.ReplacementField) []string { return []string{r.Path} })
	files(c, "configMapGenerator", &k.ConfigMapGenerator, func(g types.ConfigMapArgs) []string { return append(g.FileSources, g.EnvSources...) })
	files(c, "secretGenerator", &k.SecretGenerator, func(g types.SecretArgs) []string { return append(g.FileSources, g.EnvSources...) })
	if isAddress(k.OpenAPI["path"]) {
		c.drop("openapi", k.OpenAPI["path"])
		delete(k.OpenAPI, "path")
	}
	for _, chart := range k.HelmCharts {
		c.drop("helmCharts", chart.Name)
	}
	k.HelmCharts, k.HelmGlobals = nil, nil
}

type confinement struct {
	examination
	fs   filesys.FileSystem
	path string // of the kustomization
}

func (c confinement) drop(field, what string) { c.unseen(c.path, field, what) }

// locals leaves of a list those entries that are written in it, or that are on
// disk, which they say in a way that is no address.
func (c confinement) locals(field string, entries *[]string) {
	var kept []string
	for _, entry := range *entries {
		at := entry
		if !filepath.IsAbs(at) {
			at = filepath.Join(filepath.Dir(c.path), entry)
		}
		_, _, err := c.fs.CleanedAbs(at)
		switch {
		case strings.ContainsAny(entry, "\n{"): // a config
			kept = append(kept, entry)
		case err != nil || isAddress(entry):
			c.drop(field, entry)
		case filepath.IsAbs(entry), strings.HasPrefix(entry, "."):
			kept = append(kept, entry)
		default:
			kept = append(kept, "./"+entry)
		}
	}
	*entries = kept
}

// files leaves those entries that name files on disk.
func files[T any](c confinement, field string, entries *[]T, named func(T) []string) {
	*entries = slices.DeleteFunc(*entries, func(entry T) bool {
		i := slices.IndexFunc(named(entry), isAddress)
		if i >= 0 {
			c.drop(field, named(entry)[i])
		}
		return i >= 0
	})
}

// isAddress says whether kustomize fetches a file, which in a generator of
// ConfigMaps has a key in front.
func isAddress(file string) bool {
	_, value, _ := strings.Cut(file, "=")
	return slices.ContainsFunc([]string{file, value}, func(part string) bool {
		u, err := url.Parse(part)
		return err == nil && (u.Scheme == "http" || u.Scheme == "https")
	})
}

// foreignFile returns what a transformer or generator of kustomize's own would
// fetch.
func foreignFile(config *yaml.RNode, kind string) string {
	if kind == "HelmChartInflationGenerator" {
		return kind
	}
	var found string
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && isAddress(n.Value) {
			found = n.Value
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(config.YNode())
	return found
}

// atRoot changes the kustomization that is examined, of which path is the file.
func (x examination) atRoot(path string, k *types.Kustomization) {
	if filepath.Dir(path) != x.root {
		return
	}
	if x.bare {
		k.NamePrefix, k.NameSuffix, k.Namespace = "", "", ""
	}
	x.guard.addTo(k)
}

// proposal is a guard that is tried out: a patch that changes nothing of an
// object that has to be there.
type proposal struct {
	patch string
	last  bool // behind the transformers of others, whose objects are not there before
}

func (p proposal) addTo(k *types.Kustomization) {
	switch {
	case p.patch == "":
	case p.last:
		k.Transformers = append(k.Transformers, p.transformer())
	default:
		k.Patches = append(k.Patches, types.Patch{Patch: p.patch})
	}
}

func (p proposal) transformer() string {
	return "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: guard}\npatch: |-\n" + indent(p.patch, "  ")
}

func (p proposal) text() *guard.Patch {
	if p.last {
		return &guard.Patch{
			Kustomization: "transformers:\n# … those that are there\n- guard.yaml\n",
			File:          "guard.yaml", Content: p.transformer(),
		}
	}
	return &guard.Patch{Kustomization: "patches:\n- patch: |-\n" + indent(p.patch, "    ")}
}

func indent(lines, by string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(by + line)
	}
	return b.String()
}

// propose returns a guard that makes the build fail when functions are left
// out, and lets the complete one pass. Of patches and transformers it takes the
// first, which see objects before the kustomization names them.
func (x examination) propose(missing []*resource.Resource) *guard.Patch {
	var ignored guard.Build
	bare := x
	bare.bare = true
	if early, _, err := bare.missing(&ignored, &ignored); err == nil {
		if p := x.firstOf(early, false); p != nil {
			return p
		}
	}
	return x.firstOf(missing, true)
}

// candidates is how many of the missing objects are tried for a guard.
const candidates = 3

func (x examination) firstOf(missing []*resource.Resource, last bool) *guard.Patch {
	var ignored guard.Build
	for _, r := range missing[:min(len(missing), candidates)] {
		metadata := fmt.Sprintf("{name: %q", r.GetName())
		if ns := r.GetNamespace(); ns != "" {
			metadata += fmt.Sprintf(", namespace: %q", ns)
		}
		x.guard = proposal{fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: %s}\n", r.GetApiVersion(), r.GetKind(), metadata), last}
		if _, err := x.build(false, &ignored); err == nil {
			continue
		}
		if _, err := x.build(true, &ignored); err == nil {
			return x.guard.text()
		}
	}
	return nil
}
