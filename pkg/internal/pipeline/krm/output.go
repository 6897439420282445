// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/comments"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// The annotations that the function writes.
const (
	// ownerAnnotation holds NAMESPACE/NAME of the instance, in files only: a
	// file whose object the module no longer renders is known by it.
	ownerAnnotation = "krm.timoni.sh/instance"
	// buildAnnotation is kustomize's, on what it hands to transformers.
	buildAnnotation = "kustomize.config.k8s.io/id"
	// bundleAnnotation holds the same of the function config of a bundle.
	bundleAnnotation = "krm.timoni.sh/bundle"
	// originAnnotation holds the reference of the module.
	originAnnotation = "krm.timoni.sh/origin"
	// hashAnnotation asks kustomize for a hash in the name.
	hashAnnotation = "kustomize.config.k8s.io/needs-hash"
)

// The values of output.onConflict; Replace is the default, since what runs over
// files finds there what it wrote the last time.
const (
	conflictReplace = "Replace"
	conflictKeep    = "Keep"
	conflictFail    = "Fail"
)

// check returns what is wrong with the fields that decode lets pass.
func (o outputConfig) check() error {
	var problems []error
	known := []string{conflictReplace, conflictKeep, conflictFail}
	if o.OnConflict != "" && !slices.Contains(known, o.OnConflict) {
		problems = append(problems, fields.Errorf("spec.output.onConflict", "unknown value %q%s", o.OnConflict, fail.Suggest(o.OnConflict, known)))
	}
	kinds := []string{"ConfigMap", "Secret"}
	for i, kind := range o.Hash {
		if !slices.Contains(kinds, kind) {
			problems = append(problems, fields.Errorf(fmt.Sprintf("spec.output.hash[%d]", i), "unknown kind %q%s", kind, fail.Suggest(kind, kinds)))
		}
	}
	return errors.Join(problems...)
}

// checkHash returns an error where hashes would not be made.
func (o outputConfig) checkHash(list *List) error {
	if len(o.Hash) > 0 && len(list.Items) > 0 {
		return fields.Errorf("spec.output.hash", "only kustomize adds hashes, and only to the objects of a generator: list this config under generators:")
	}
	return nil
}

// objects returns the objects of the stages that are asked for.
func (o outputConfig) objects(result *render.Result) ([]api.Object, error) {
	if o.SyncWaves {
		result.SyncWaves()
	}
	if len(o.Stages) == 0 {
		return result.Objects(), nil
	}
	var names []string
	var objects []api.Object
	for _, set := range result.Sets {
		names = append(names, set.Name)
		if slices.Contains(o.Stages, set.Name) {
			objects = append(objects, set.Objects...)
		}
	}
	var problems []error
	for i, stage := range o.Stages {
		if !slices.Contains(names, stage) {
			problems = append(problems, fields.Errorf(fmt.Sprintf("spec.output.stages[%d]", i), "the module has no stage %q%s", stage, fail.Suggest(stage, names)))
		}
	}
	return objects, errors.Join(problems...)
}

// owner is what files are known by that a config has made.
type owner struct{ annotation, name string }

// product is a rendered object, with the annotations that the config asks for.
type product struct {
	api.Object
	annotations map[string]string
}

// product returns a rendered object with what the config asks for.
func (o outputConfig) product(object api.Object, by owner, origin string, files bool) product {
	set := map[string]string{}
	if files {
		set[by.annotation] = by.name
	}
	if o.Origin {
		set[originAnnotation] = origin
	}
	if slices.Contains(o.Hash, object.Kind()) {
		set[hashAnnotation] = "true"
	}
	return product{object, set}
}

// item returns the object as an item.
func (p product) item() (*yaml.RNode, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(api.YAML([]api.Object{p.Object}), &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID(), err)
	}
	item := yaml.NewRNode(doc.Content[0])
	if len(p.annotations) == 0 {
		return item, nil
	}
	annotations := item.GetAnnotations()
	maps.Copy(annotations, p.annotations)
	if err := item.SetAnnotations(annotations); err != nil {
		return nil, err
	}
	return item, nil
}

// areFiles says whether what the list holds is written back to files, as kpt
// and 'kustomize fn run' do. Items in a build have paths too, where a function
// has made them.
func (l *List) areFiles() bool {
	if slices.ContainsFunc(l.Items, isFromBuild) {
		return false
	}
	return l.Config != nil && isFromFile(l.Config) || slices.ContainsFunc(l.Items, isFromFile)
}

// merge puts rendered objects into the list: each in the place of the one with
// its identity, whose annotations of kustomize's and kpt's it takes over, or at
// the end. What the owner made before and does not make any more is removed.
func (l *List) merge(products []product, onConflict string, by owner) error {
	key := l.key()
	place := map[yaml.ResourceIdentifier]int{}
	for i, item := range l.Items {
		place[key(identify(item))] = i
	}
	made := map[yaml.ResourceIdentifier]bool{}
	var problems []error
	for _, p := range products {
		id := identityOf(p.Object)
		made[id] = true
		i, exists := place[key(id)]
		item, err := p.item()
		switch {
		case err != nil:
			problems = append(problems, err)
		case !exists:
			problems = append(problems, l.rememberDefault(item))
			l.Items = append(l.Items, item)
		case onConflict == conflictFail:
			problems = append(problems, fmt.Errorf("%s is among the items already", describeID(id)))
		case onConflict != conflictKeep && isForTools(l.Items[i], by):
			problems = append(problems, fail.Refusedf("%s is among the items already, for tools and not for a cluster: a module does not replace it", describeID(id)))
		case onConflict != conflictKeep:
			problems = append(problems, inherit(l.Items[i], item))
			l.Items[i] = item
		}
	}
	l.Items = slices.DeleteFunc(l.Items, func(item *yaml.RNode) bool {
		return !made[identify(item)] && isFromFile(item) && len(item.GetAnnotations(by.annotation)) > 0 &&
			item.GetAnnotations()[by.annotation] == by.name
	})
	return errors.Join(problems...)
}

// isForTools says whether an item that the owner has not made tells kpt,
// kustomize or a function what to do.
func isForTools(item *yaml.RNode, by owner) bool {
	annotations := item.GetAnnotations()
	if annotations[by.annotation] == by.name {
		return false
	}
	group, _ := resid.ParseGroupVersion(item.GetApiVersion())
	_, isFunction := annotations[runtimeutil.FunctionAnnotationKey]
	return isFunction || annotations[localConfig] == "true" || group == "kpt.dev" || group == "kustomize.config.k8s.io"
}

// key returns what tells two items apart. To kustomize no namespace is the
// namespace default, unless the build is told another.
func (l *List) key() func(yaml.ResourceIdentifier) yaml.ResourceIdentifier {
	inBuild := slices.ContainsFunc(l.Items, isFromBuild)
	namespace := cmp.Or(l.givenNamespace(), defaultNamespace)
	return func(id yaml.ResourceIdentifier) yaml.ResourceIdentifier {
		if inBuild && id.Namespace == "" {
			id.Namespace = namespace
		}
		return id
	}
}

// inherit gives an object what kustomize and kpt know its predecessor by, and
// the comments that people wrote into its file.
func inherit(from, to *yaml.RNode) error {
	annotations := to.GetAnnotations()
	before := len(annotations)
	for key, value := range from.GetAnnotations() {
		if _, given := annotations[key]; !given && api.IsToolAnnotation(key) {
			annotations[key] = value
		}
	}
	if len(annotations) > before {
		if err := to.SetAnnotations(annotations); err != nil {
			return err
		}
	}
	return comments.CopyComments(from, to)
}

func describeID(id yaml.ResourceIdentifier) string {
	parts := []string{id.Kind, id.Namespace, id.Name}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
}
