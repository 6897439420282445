// SPDX-License-Identifier: Apache-2.0

// Package kustomize builds kustomizations with the functions of package krm in
// them, and examines what a build leaves out without them.
package kustomize

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// Kustomization is a directory to build, with the kinds of package krm built
// in.
type Kustomization struct {
	Dir        string
	Executable string // of this function; it is started once per function config
	EnableExec bool   // runs functions and plugins of others, too
	Helm       string // the command for helmCharts, empty to refuse them
	AnyFile    bool   // lets files lie outside the directory
	Namespace  string // of instances whose config names none; empty: default. Patches find their objects in default, too.
}

// Build returns the objects of the kustomization as YAML. Kustomize leaves out
// a function that it was not told to run, and succeeds; here it is refused.
func (k Kustomization) Build() ([]byte, error) {
	objects, err := (&overlay{FileSystem: filesys.MakeFsOnDisk(), build: k}).run(k.options(), k.Dir)
	if err != nil {
		return nil, k.withCode(err)
	}
	for _, r := range objects.Resources() {
		if r.GetApiVersion() == krm.APIVersion {
			return nil, fail.Hint(fail.Refusedf("%s %q is among the objects, where nothing runs it", r.GetKind(), r.GetName()),
				"list its file under generators:, transformers: or validators:, and not under resources:")
		}
	}
	return objects.AsYaml()
}

// exitRE matches what kustomize says of a function that failed. For a
// transformer or validator it does not wrap the error.
var exitRE = regexp.MustCompile(`^couldn't execute function: exit status (\d+)\b`)

// withCode gives an error the exit code of the function that has failed. One of
// ours has said why: what kustomize says of it is not repeated.
func (k Kustomization) withCode(err error) error {
	m := exitRE.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	code := fail.Failed
	for _, known := range []fail.Code{fail.No, fail.Refused} {
		if m[1] == strconv.Itoa(int(known)) {
			code = known
		}
	}
	if k.EnableExec {
		return fail.With(code, err)
	}
	return fail.Silent(code)
}

// options lets every function run: the overlay has replaced or refused them.
func (k Kustomization) options() *krusty.Options {
	o := krusty.MakeDefaultOptions()
	o.Reorder = krusty.ReorderOptionUnspecified
	o.PluginConfig = types.EnabledPluginConfig(types.BploUseStaticallyLinked)
	o.PluginConfig.FnpLoadingOptions.EnableExec = true
	o.PluginConfig.HelmConfig = types.HelmConfig{Enabled: k.Helm != "", Command: k.Helm}
	if k.AnyFile {
		o.LoadRestrictions = types.LoadRestrictionsNone
	}
	return o
}

// overlay is the file system as kustomize is to see it: where a kustomization
// lists functions, their configs stand in the list itself. An entry may be a
// file, a directory with patches or an address, and kustomize resolves it; what
// was checked here is then what runs, whatever a second look would find.
type overlay struct {
	filesys.FileSystem
	build Kustomization

	replaced    string // the path of a kustomization that is read differently
	replacement []byte

	links map[string]string // from a file to the kustomization that is a link to it, or is it

	vets   bool // a kustomization that was read lists a Vet
	isRead bool // a kustomization was read: the first one is the one to build
	traced bool // its objects say of which files they are only until it is built

	roots []string // whose functions are being looked at, outermost first
	err   error    // the first one

	examination *examination // nil when the build is meant
}

func (o *overlay) run(options *krusty.Options, dir string) (resmap.ResMap, error) {
	objects, err := krusty.MakeKustomizer(options).Run(o, dir)
	if o.err != nil {
		return nil, o.err // which kustomize takes for a missing kustomization.yaml
	}
	if err == nil && o.traced {
		err = objects.RemoveOriginAnnotations()
	}
	return objects, err
}

// CleanedAbs resolves the links in a path. kustomize reads what it returns: a
// file of any name may be a kustomization, whose own name is remembered.
func (o *overlay) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	dir, file, err := o.FileSystem.CleanedAbs(path)
	if err == nil && file != "" && isKustomization(path) {
		if o.links == nil {
			o.links = map[string]string{}
		}
		o.links[dir.Join(file)] = path
	}
	return dir, file, err
}

func isKustomization(path string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
}

// ReadFile returns a file, or a kustomization with its functions in place.
func (o *overlay) ReadFile(path string) ([]byte, error) {
	name := cmp.Or(o.links[path], path)
	if name == o.replaced {
		return o.replacement, nil
	}
	data, err := o.FileSystem.ReadFile(path)
	if err != nil || !isKustomization(name) {
		return data, err
	}
	data, err = o.inline(name, data)
	if o.err == nil {
		o.err = err
	}
	return data, err
}

func (o *overlay) inline(path string, data []byte) ([]byte, error) {
	isRoot := !o.isRead
	o.isRead = true
	var k types.Kustomization
	if err := k.Unmarshal(data); err != nil {
		return data, nil //nolint:nilerr // kustomize says what is wrong
	}
	if o.examination != nil {
		o.examination.confine(o.FileSystem, path, &k)
	} else if len(k.Generators)+len(k.Transformers)+len(k.Validators) == 0 {
		return data, nil
	}
	lists := map[string]*[]string{generators: &k.Generators, transformers: &k.Transformers, validators: &k.Validators}
	for _, role := range slices.Sorted(maps.Keys(lists)) {
		var err error
		if *lists[role], err = o.configs(path, role, *lists[role]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if o.examination != nil && len(o.roots) == 0 {
		o.examination.atRoot(path, &k)
	}
	if isRoot {
		o.trace(&k)
	}
	return sigsyaml.Marshal(k)
}

// trace lets the objects of a kustomization that lists a Vet say of which files
// they are.
func (o *overlay) trace(k *types.Kustomization) {
	if o.traced = o.vets && !slices.Contains(k.BuildMetadata, types.OriginAnnotations); o.traced {
		k.BuildMetadata = append(k.BuildMetadata, types.OriginAnnotations)
	}
}

// The lists of a kustomization that name functions.
const (
	generators   = "generators"
	transformers = "transformers"
	validators   = "validators"
)

// configs returns the function configs that the entries of a list, whose role
// is given, stand for: those that are written in the list first, as kustomize
// has them.
func (o *overlay) configs(path, role string, entries []string) ([]string, error) {
	factory := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory())
	var inline, named []*resource.Resource
	for _, entry := range entries {
		configs, err := factory.NewResMapFromBytes([]byte(entry))
		if err == nil {
			inline = append(inline, configs.Resources()...)
			continue
		}
		if configs, err = o.named(factory, path, entry); err != nil {
			return nil, err
		}
		if configs.Size() == 0 && o.examination == nil {
			return nil, fmt.Errorf("%s: holds no function config", entry)
		}
		named = append(named, configs.Resources()...)
	}
	var texts []string
	for _, config := range append(inline, named...) {
		text, err := o.config(path, role, config)
		if err != nil {
			return nil, err
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// named returns the function configs in a file, or what kustomize makes of a
// directory or an address.
func (o *overlay) named(factory *resmap.Factory, path, entry string) (resmap.ResMap, error) {
	root := filepath.Dir(path)
	if dir, file, err := o.CleanedAbs(filepath.Join(root, entry)); err == nil && file != "" {
		if !o.build.AnyFile && !dir.HasPrefix(filesys.ConfirmedDir(root)) {
			return nil, fmt.Errorf("file %q is not in or below the directory of the kustomization", entry)
		}
		data, err := o.ReadFile(dir.Join(file))
		if err != nil {
			return nil, err
		}
		configs, err := factory.NewResMapFromBytes(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry, err)
		}
		return configs, nil
	}
	if slices.Contains(o.roots, root) {
		return nil, fmt.Errorf("%s: the kustomization is part of what configures its own functions", entry)
	}
	alone, err := sigsyaml.Marshal(types.Kustomization{Resources: []string{entry}})
	if err != nil {
		return nil, err
	}
	inner := &overlay{
		FileSystem: o.FileSystem, build: o.build,
		replaced: path, replacement: alone, roots: append(slices.Clone(o.roots), root),
		examination: o.examination,
	}
	options := o.build.options()
	options.Reorder = krusty.ReorderOptionNone
	return inner.run(options, root)
}

// config returns a function config as it may run. One of ours runs this
// executable, whatever its annotation says. Without a text it is left out.
func (o *overlay) config(path, role string, r *resource.Resource) (string, error) {
	if o.examination != nil {
		return o.examination.function(path, role, r)
	}
	id := r.OrgId()
	switch {
	case id.Group == "" && id.Version == konfig.BuiltinPluginApiVersion:
	case r.GetApiVersion() == krm.APIVersion:
		annotations := r.GetAnnotations()
		annotations[runtimeutil.FunctionAnnotationKey] = fmt.Sprintf("exec: {path: %q}", o.build.Executable)
		delete(annotations, krm.NamespaceAnnotation)
		if r.GetNamespace() == "" && o.build.Namespace != "" && id.Kind != krm.KindVet {
			annotations[krm.NamespaceAnnotation] = o.build.Namespace
		}
		err := r.SetAnnotations(annotations)
		switch {
		case err != nil:
		case id.Kind == krm.KindVet:
			o.vets = true
			err = emitFor(role, r)
		case role == validators:
			err = fail.Hint(fail.Refusedf("%s %q makes objects, and validators: must not", id.Kind, id.Name), "list it under generators: or transformers:")
		}
		if err != nil {
			return "", err
		}
	case !o.build.EnableExec:
		return "", fail.Hint(fail.Refusedf("%s %q is a function or plugin of another project, which would run as a program", id.Kind, id.Name),
			"if you trust it, add --enable-exec")
	}
	text, err := r.AsYAML()
	return string(text), err
}

// emitFor makes a Vet pass on what kustomize wants of its role, which the
// function itself cannot know.
func emitFor(role string, vet *resource.Resource) error {
	emit, err := vet.Pipe(yaml.LookupCreate(yaml.ScalarNode, "spec", "emit"))
	if err != nil {
		return err
	}
	switch given := emit.YNode().Value; {
	case role == generators:
		return fail.Hint(fail.Refusedf("%s %q sees no object among the generators", krm.KindVet, vet.GetName()), "list it under validators:")
	case role == transformers && given == krm.EmitNone:
		return fail.Hint(fail.Refusedf("%s %q with emit: %s deletes all objects among the transformers", krm.KindVet, vet.GetName(), krm.EmitNone),
			"list it under validators:, or leave out emit")
	case given == "" && role == validators:
		emit.YNode().SetString(krm.EmitNone)
	case given == "":
		emit.YNode().SetString(krm.EmitAll)
	}
	return nil
}
