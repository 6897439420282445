// SPDX-License-Identifier: Apache-2.0

// Package krm is the KRM function without its process: a ResourceList in, the
// same list with the objects of a module and with results out.
//
// It does not use kyaml's framework, which ignores unknown fields in a function
// config and exits 0 when a function reports an error in its results.
package krm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/document"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// List is a ResourceList: what a function reads and what it writes.
type List struct {
	APIVersion string        // of the list itself, written as it was read
	Items      []*yaml.RNode // with every annotation they came with
	Config     *yaml.RNode   // nil when there is none; not written
	Results    []Result
	made       []api.Object // rendered, where there are no items: they become text once
	bare       bool         // a stream of objects, without the list around it
	text       []byte       // of the items as they were read; nil where only the items themselves can be written
	passed     bool         // the items are those that were read
	explain    func(error) error
}

// Read reads a ResourceList. The list is never nil: after an error it is empty
// but for the result that says so, and can be written.
func Read(r io.Reader) (*List, error) {
	list, err := read(r)
	if err != nil {
		return Failed(err)
	}
	return list, nil
}

// Failed returns a ResourceList without items, whose result is the error, and
// the error as Function.Run returns it.
func Failed(err error) (*List, error) {
	list := &List{APIVersion: kio.ResourceListAPIVersion}
	err = list.report(subject{}, err)
	return list, err
}

// ReadStream reads a function config and the objects that it is to work on,
// as kubectl kustomize and people pass them: a stream of YAML documents. A
// ResourceList is read too. What Write writes then has the same form.
func ReadStream(config []byte, r io.Reader) (*List, error) {
	list := &List{bare: true}
	configs, err := newReader(config).Read()
	if err != nil {
		return list, fmt.Errorf("the function config is not YAML: %w", hidden(err))
	}
	if len(configs) != 1 {
		return list, fmt.Errorf("the file holds %d documents and not one function config", len(configs))
	}
	stream, err := io.ReadAll(r)
	if err != nil {
		return list, err
	}
	reader := newReader(stream)
	items, err := reader.Read()
	if err == nil && reader.WrappingKind == "" {
		items, err = ReadItems(stream)
	}
	if err != nil {
		return list, fmt.Errorf("the standard input is not a stream of objects: %w", hidden(err))
	}
	list.Config, list.Items = configs[0], items
	list.bare, list.APIVersion = reader.WrappingKind != kio.ResourceListKind, reader.WrappingAPIVersion
	if err = errors.Join(list.expand(), checkItems(items)); err != nil && !list.bare {
		return Failed(err)
	}
	return list, err
}

// NoListError says that what a function read is no ResourceList.
type NoListError struct{}

// Error says so.
func (*NoListError) Error() string { return "there is no ResourceList on the standard input" }

// EmptyStream returns the list of which nothing is written.
func EmptyStream() *List { return &List{bare: true} }

// IsStream says whether the list is written as objects only, so that there is
// no place for results in what is written.
func (l *List) IsStream() bool { return l.bare }

// emptyEndRE matches separators behind which there is no document.
var emptyEndRE = regexp.MustCompile(`(?:\n---\s*)+\z`)

// newReader returns a reader of a stream. kyaml (v0.21.2) takes a ResourceList for
// an object among others when a separator follows it.
func newReader(stream []byte) *kio.ByteReader {
	stream = emptyEndRE.ReplaceAll(stream, []byte("\n"))
	return &kio.ByteReader{Reader: bytes.NewReader(stream), OmitReaderAnnotations: true}
}

func read(r io.Reader) (*List, error) {
	stream, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	reader := newReader(stream)
	items, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("the standard input is not a ResourceList: %w", hidden(err))
	}
	if reader.WrappingKind != kio.ResourceListKind {
		return nil, &NoListError{}
	}
	list := &List{APIVersion: reader.WrappingAPIVersion, Items: items, Config: reader.FunctionConfig, text: textOfItems(stream, len(items))}
	return list, errors.Join(list.expand(), checkItems(items))
}

// checkItems returns an error unless the items have the form of objects as far
// as kyaml needs it, which neither writes nor survives what has not.
func checkItems(items []*yaml.RNode) error {
	var problems []error
	for i, item := range items {
		field := fmt.Sprintf("items[%d]", i)
		problems = append(problems, checkMap(item.YNode(), field, false))
		if item.YNode().Kind != yaml.MappingNode {
			continue
		}
		if metadata := item.Field("metadata"); metadata != nil {
			problems = append(problems, checkMap(metadata.Value.YNode(), field+".metadata", true))
			for _, name := range []string{"annotations", "labels"} {
				if f := metadata.Value.Field(name); f != nil {
					problems = append(problems, checkMap(f.Value.YNode(), field+".metadata."+name, true))
				}
			}
		}
	}
	return errors.Join(problems...)
}

func checkMap(n *yaml.Node, field string, orNull bool) error {
	if n.Kind == yaml.MappingNode || orNull && fields.IsNull(n) {
		return nil
	}
	return fields.Errorf(field, "must be a map, not %s", fields.Describe(n))
}

// expand puts what they stand for in the place of aliases in the config.
func (l *List) expand() error {
	if l.Config == nil {
		return nil
	}
	if err := document.Check(l.Config.YNode()); err != nil {
		return fmt.Errorf("functionConfig: %w", err)
	}
	budget := maxNodes
	if !expand(l.Config.YNode(), &budget) {
		return errors.New("functionConfig: it is too large")
	}
	return nil
}

// hidden returns an error of a parser of YAML without what it quotes.
func hidden(err error) error { return errors.New(mask.Quoted(err.Error())) }

// maxNodes bounds what a function config may be, aliases expanded: a few lines
// of YAML can stand for billions, or for themselves.
const maxNodes = 1 << 18

// expand puts what they stand for in the place of aliases, while the budget
// lasts.
func expand(n *yaml.Node, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	if n.Kind == yaml.AliasNode {
		*n = *n.Alias
	}
	n.Anchor = ""
	for _, child := range n.Content {
		if !expand(child, budget) {
			return false
		}
	}
	return true
}

// Write writes the list as YAML. Annotations are kept, because kustomize and
// kpt know their objects by them.
func (l *List) Write(w io.Writer) error {
	if l.made != nil {
		return l.writeMade(w)
	}
	if l.passed && len(l.text) > 0 {
		return l.writeAround(w, l.text)
	}
	if l.bare {
		return kio.ByteWriter{Writer: w, KeepReaderAnnotations: true}.Write(l.Items)
	}
	writer := kio.ByteWriter{
		Writer: w, KeepReaderAnnotations: true,
		WrappingAPIVersion: l.APIVersion, WrappingKind: kio.ResourceListKind,
	}
	if len(l.Results) > 0 {
		var results yaml.Node
		if err := results.Encode(l.Results); err != nil {
			return err
		}
		writer.Results = yaml.NewRNode(&results)
	}
	return writer.Write(l.Items)
}

// make takes objects that become text as they are, without an empty map of
// annotations, which kyaml does not write either.
func (l *List) make(products []product) {
	for _, p := range products {
		if metadata, ok := p.Object["metadata"].(map[string]any); ok && len(p.AnnotationKeys()) == 0 {
			delete(metadata, "annotations")
		}
		l.made = append(l.made, p.Object)
	}
}

// writeMade is Write for a list of rendered objects and nothing else.
func (l *List) writeMade(w io.Writer) error {
	if l.bare {
		_, err := w.Write(api.YAML(l.made))
		return err
	}
	items := make([]any, len(l.made))
	for i, o := range l.made {
		items[i] = map[string]any(o)
	}
	return l.writeAround(w, api.ValueYAML(items))
}

// writeAround writes the list around the text of its items.
func (l *List) writeAround(w io.Writer, items []byte) error {
	var envelope bytes.Buffer
	if err := (&List{APIVersion: l.APIVersion, Results: l.Results}).Write(&envelope); err != nil {
		return err
	}
	before, after, _ := bytes.Cut(envelope.Bytes(), []byte("\nitems: []\n"))
	for _, part := range [][]byte{before, []byte("\nitems:\n"), items, after} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// dropPlaceholder takes out what kustomize passes to a function that has no
// items to work on: the function config itself. Returned, it would become part
// of the build, and make kustomize load its OpenAPI document. A config that
// came from a file, as kpt passes it, stays.
func (l *List) dropPlaceholder() {
	var items []*yaml.RNode
	for _, item := range l.Items {
		if identify(item) != identify(l.Config) || isFromFile(item) {
			items = append(items, item)
		}
	}
	if len(items) < len(l.Items) {
		l.text = nil
	}
	l.Items = items
}

func isFromFile(item *yaml.RNode) bool {
	return len(item.GetAnnotations(kioutil.PathAnnotation)) > 0
}

// packageAnnotation holds the absolute path of the package that an object is
// part of: kpt fn render starts functions where it was started itself.
const packageAnnotation = "internal.config.kubernetes.io/package-path"

// packageDir returns the directory of the kpt package that the list's objects are
// files of, or base when it is none below that: objects may say anything. The
// packages in it come with it.
func (l *List) packageDir(base string) string {
	outermost := ""
	for _, item := range l.Items {
		dir := item.GetAnnotations(packageAnnotation)[packageAnnotation]
		if dir != "" && (outermost == "" || len(dir) < len(outermost)) {
			outermost = dir
		}
	}
	if outermost == "" || !l.areFiles() {
		return base
	}
	if inside, err := values.Within(base, outermost); err != nil || !inside {
		return base
	}
	return outermost
}

// isFromBuild says whether the item is one that a build of kustomize holds: it
// knows it again by this annotation.
func isFromBuild(item *yaml.RNode) bool {
	return len(item.GetAnnotations(buildAnnotation)) > 0
}

// identify returns the identity of an item, empty for what is no object.
func identify(item *yaml.RNode) yaml.ResourceIdentifier {
	if item == nil || item.YNode().Kind != yaml.MappingNode {
		return yaml.ResourceIdentifier{}
	}
	return yaml.ResourceIdentifier{
		TypeMeta: yaml.TypeMeta{APIVersion: item.GetApiVersion(), Kind: item.GetKind()},
		NameMeta: yaml.NameMeta{Name: item.GetName(), Namespace: item.GetNamespace()},
	}
}

// identityOf is identify for a rendered object.
func identityOf(o api.Object) yaml.ResourceIdentifier {
	return yaml.ResourceIdentifier{
		TypeMeta: yaml.TypeMeta{APIVersion: o.APIVersion(), Kind: o.Kind()},
		NameMeta: yaml.NameMeta{Name: o.Name(), Namespace: o.Namespace()},
	}
}
