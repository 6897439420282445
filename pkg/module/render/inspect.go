// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"context"
	"iter"
	"path"
	"regexp"
	"strconv"

	"cuelang.org/go/cue"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Schema is what a module says of its values.
type Schema struct {
	ModulePath string
	// Type is the field values without what values.cue says: which fields there
	// are, what they may hold, and the defaults of the schema.
	Type cue.Value
	// Defaults is the field values with what values.cue says.
	Defaults cue.Value
	// Config is what instances see as timoni.instance.config: Defaults, and what
	// the module itself fills in.
	Config cue.Value
}

// Inspect evaluates the module's values and returns what look sees in them:
// looking may evaluate more, and is within the limits of the request too.
// Nothing needs to be concrete. Name, namespace and values of the request are
// not used.
func Inspect[T any](ctx context.Context, req Request, look func(*Schema) T) (seen T, err error) {
	req.Package = cmp.Or(req.Package, DefaultPackage)
	req.Origin = cmp.Or(req.Origin, req.Dir)
	req.comments, req.Whole = true, true
	req.Name, req.Namespace = cmp.Or(req.Name, "name"), cmp.Or(req.Namespace, "default")
	if req.KubeVersion, err = parseKubeVersion(cmp.Or(req.KubeVersion, DefaultKubeVersion)); err != nil {
		return seen, err
	}
	if err = checkModule(req); err != nil {
		return seen, err
	}
	return bounded(ctx, req.Limits, "load", func(s *stage) (seen T, err error) {
		defer values.Recover("module "+strconv.Quote(req.Origin), &err)
		schema, err := inspect(ctx, req, s)
		if err != nil {
			return seen, err
		}
		return look(schema), nil
	})
}

func inspect(ctx context.Context, req Request, s *stage) (*Schema, error) {
	schema := &Schema{}
	var err error
	if schema.Type, err = schema.read(req, s, true); err != nil {
		return nil, err
	}
	if err = ctx.Err(); err != nil {
		return nil, err
	}
	if schema.Defaults, err = schema.read(req, s, false); err != nil {
		return nil, err
	}
	if err = values.Check(schema.Defaults); err != nil {
		return nil, err
	}
	if schema.Type.IncompleteKind() != cue.StructKind {
		schema.Type = schema.Defaults // values.cue is the schema itself
	}
	return schema, nil
}

// read evaluates the module, with values.cue or without, and returns the field
// values.
func (s *Schema) read(req Request, at *stage, replace bool) (cue.Value, error) {
	tree, err := values.Merge(nil)
	if err != nil {
		return cue.Value{}, err
	}
	if replace {
		tree.Replace()
	}
	e, err := loadModule(req, tree)
	if err != nil {
		return cue.Value{}, err
	}
	defer e.confined.Close()
	at.enter("evaluate")
	root := e.ctx.BuildInstance(e.instance)
	s.ModulePath, s.Config = e.path, root.LookupPath(cue.ParsePath("timoni.instance.config"))
	return root.LookupPath(cue.MakePath(cue.Str("values"))), nil
}

// IsQuantity says whether a type is a quantity by name, such as #CPUQuantity:
// numbers are taken for their strings there.
func IsQuantity(v cue.Value) bool { return order.IsQuantity(v) }

// checkImages returns what is wrong with the images of the configuration and of
// the containers in the objects. An image with neither a tag nor a digest is
// another one from day to day.
func checkImages(config, apply cue.Value) []values.Problem {
	const tag = `:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	imageRE := regexp.MustCompile(`^[^\s@]*[^\s@/:](?:` + tag + `)?(?:@sha256:[0-9a-f]{64})?$`)
	pinnedRE := regexp.MustCompile(tag + `(?:@|$)|@`)
	r := &reader{}
	configImages(config, func(image cue.Value, repository string) {
		r.problem(image, "image %q has neither a tag nor a digest", repository)
	})
	containerImages(apply, func(image cue.Value) {
		reference, err := image.String()
		switch {
		case err != nil: // the objects are known to be concrete
		case !imageRE.MatchString(reference):
			r.problem(image, "%q is not the reference of an image", reference)
		case !pinnedRE.MatchString(path.Base(reference)):
			r.problem(image, "image %q has neither a tag nor a digest", reference)
		}
	})
	return r.problems
}

// configImages calls visit for every image in the configuration (docs/interop.md,
// section 1) whose tag and digest are both empty: its reference may name a tag
// all the same.
func configImages(v cue.Value, visit func(image cue.Value, repository string)) {
	text := func(field string) (string, bool) {
		s, err := v.LookupPath(cue.MakePath(cue.Str(field))).String()
		return s, err == nil
	}
	repository, isImage := text("repository")
	tag, hasTag := text("tag")
	digest, hasDigest := text("digest")
	if isImage && hasTag && hasDigest && tag == "" && digest == "" {
		visit(v, repository)
	}
	for _, field := range children(v) {
		configImages(field, visit)
	}
}

// containerImages calls visit for the field image of every container in v.
func containerImages(v cue.Value, visit func(cue.Value)) {
	for name, field := range children(v) {
		switch name {
		case "containers", "initContainers", "ephemeralContainers":
			for _, container := range children(field) {
				if image := container.LookupPath(cue.MakePath(cue.Str("image"))); image.Exists() {
					visit(image)
				}
			}
		}
		containerImages(field, visit)
	}
}

// children yields the fields of a struct, or the elements of a list without a
// name.
func children(v cue.Value) iter.Seq2[string, cue.Value] {
	return func(yield func(string, cue.Value) bool) {
		if items, err := v.List(); err == nil {
			for items.Next() && yield("", items.Value()) {
			}
			return
		}
		fields, err := v.Fields()
		for err == nil && fields.Next() && yield(fields.Selector().Unquoted(), fields.Value()) {
		}
	}
}
