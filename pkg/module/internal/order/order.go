// SPDX-License-Identifier: Apache-2.0

// Package order arranges the values of a user for a module: their fields in the
// order that the reference gives them, and numbers as the strings that the module
// takes for quantities.
package order

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/token"
)

// fieldName is the field that holds the values in a module.
const fieldName = "values"

// Arrange returns an overlaid values.cue whose fields take the order that the
// reference gives them: that of the module, then the new ones in the order
// given. CUE (v0.17.1) derives the order of a struct from its literals, so the
// fields that the schema declares become a literal each, and the others one
// literal that begins after those of the schema. The schema is the field values
// of the module without its values.cue; the zero value says that all fields are
// new. The file itself is not changed, but its
// references lead into the copy until Resolve is called.
func Arrange(file *ast.File, known *Schema) *ast.File {
	arranged := *file
	arranged.Decls = nil
	var parts []ast.Expr
	first := -1
	for _, decl := range file.Decls {
		field, ok := decl.(*ast.Field)
		if !ok || LabelName(field.Label) != fieldName || !isPlain(field) {
			arranged.Decls = append(arranged.Decls, decl)
			continue
		}
		if first < 0 {
			first = len(arranged.Decls)
			copied := *field
			arranged.Decls = append(arranged.Decls, &copied)
		}
		parts = append(parts, field.Value)
	}
	if len(parts) == 0 {
		return file
	}
	if known == nil {
		known = &Schema{}
	}
	known.of(file.Filename)
	arranged.Decls[first].(*ast.Field).Value = arrange(parts, known) //nolint:forcetypeassert // set above
	Resolve(&arranged)
	return &arranged
}

// Resolve points the identifiers of a changed file to what they now mean.
func Resolve(file *ast.File) {
	ast.Walk(file, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			ident.Node, ident.Scope = nil, nil
		}
		return true
	}, nil)
	file.Unresolved = nil
	// What Resolve has to say, the parser has said already.
	astutil.Resolve(file, func(token.Pos, string, ...any) {})
}

// isPlain says whether a field is a name and a value, and no more.
func isPlain(f *ast.Field) bool {
	_, isAlias := f.Label.(*ast.Alias)
	return !isAlias && f.Alias == nil && len(f.Attrs) == 0 && f.Constraint == token.ILLEGAL && LabelName(f.Label) != ""
}

// isTaken says whether the masker has taken the value of a field away.
func isTaken(f *ast.Field) bool {
	ident, ok := f.Value.(*ast.Ident)
	return ok && ident.Name == "_" && f.Constraint == token.OPTION && len(f.Attrs) == 0 && LabelName(f.Label) != ""
}

// gathered is what several expressions say of one struct.
type gathered struct {
	fields []*ast.Field          // one a name, in order
	index  map[string]int        // into fields
	values map[string][]ast.Expr // of the fields
	empty  ast.Expr              // a literal without fields
	others []ast.Expr            // what is no plain struct
}

func (g *gathered) add(lit *ast.StructLit) {
	if len(lit.Elts) == 0 {
		g.empty = lit
	}
	for _, decl := range lit.Elts {
		field, ok := decl.(*ast.Field)
		if !ok {
			continue // a comment
		}
		name := LabelName(field.Label)
		i, ok := g.index[name]
		switch {
		case !ok:
			g.index[name] = len(g.fields)
			g.fields = append(g.fields, field)
		case isTaken(g.fields[i]):
			g.fields[i] = field
		}
		if !isTaken(field) {
			g.values[name] = append(g.values[name], field.Value)
		}
	}
}

// arrange returns the unification of expressions.
func arrange(parts []ast.Expr, known *Schema) ast.Expr {
	g := gathered{index: map[string]int{}, values: map[string][]ast.Expr{}}
	for _, part := range conjuncts(parts) {
		if lit, ok := part.(*ast.StructLit); ok && isSeparable(lit) {
			g.add(lit)
		} else {
			g.others = append(g.others, part)
		}
	}
	if len(g.fields) > 0 {
		return unify(append(g.others, g.literals(known)...))
	}
	if g.empty != nil {
		g.others = append(g.others, g.empty)
	}
	if len(g.others) > 1 {
		return unify(g.others)
	}
	if list, ok := g.others[0].(*ast.ListLit); ok {
		return arrangeList(list, known.elements())
	}
	if value := Default(g.others[0]); value != nil && known.haveOther(value) {
		return value // of two different defaults CUE takes none
	}
	return known.quantity(g.others[0])
}

// literals returns the literals of the fields.
func (g *gathered) literals(known *Schema) []ast.Expr {
	names := known.names()
	var literals []ast.Expr
	var added []ast.Decl
	for _, field := range g.fields {
		name := LabelName(field.Label)
		copied := &ast.Field{Label: field.Label, Constraint: field.Constraint, Value: field.Value}
		if parts := g.values[name]; len(parts) > 0 {
			copied.Value = arrange(parts, known.child(name))
		}
		if slices.Contains(names, name) {
			literals = append(literals, &ast.StructLit{Elts: []ast.Decl{copied}})
		} else {
			added = append(added, copied)
		}
	}
	if len(added) == 0 {
		return literals
	}
	last := &ast.StructLit{Lbrace: added[0].Pos()}
	for _, name := range names {
		last.Elts = append(last.Elts, &ast.Field{Label: ast.NewString(name), Constraint: token.OPTION, Value: ast.NewIdent("_")})
	}
	last.Elts = append(last.Elts, added...)
	return append(literals, last)
}

func arrangeList(list *ast.ListLit, known *Schema) ast.Expr {
	copied := *list
	copied.Elts = make([]ast.Expr, len(list.Elts))
	for i, element := range list.Elts {
		copied.Elts[i] = arrange([]ast.Expr{element}, known)
	}
	return &copied
}

// conjuncts returns what expressions unify.
func conjuncts(parts []ast.Expr) []ast.Expr {
	var flat []ast.Expr
	for _, part := range parts {
		if b, ok := part.(*ast.BinaryExpr); ok && b.Op == token.AND {
			flat = append(flat, conjuncts([]ast.Expr{b.X, b.Y})...)
		} else {
			flat = append(flat, part)
		}
	}
	return flat
}

// unify returns the unification of expressions, of which there is one at least,
// as a tree that is not deep.
func unify(parts []ast.Expr) ast.Expr {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	return ast.NewBinExpr(token.AND, unify(parts[:half]), unify(parts[half:]))
}

// isSeparable says whether the fields of a struct can be written in structs of
// their own: they are plain, and do not refer to each other.
func isSeparable(lit *ast.StructLit) bool {
	for _, decl := range lit.Elts {
		switch d := decl.(type) {
		case *ast.CommentGroup:
		case *ast.Field:
			if !isPlain(d) && !isTaken(d) {
				return false
			}
		default:
			return false
		}
	}
	separable := true
	ast.Walk(lit, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok && ident.Scope == ast.Node(lit) {
			separable = false
		}
		return separable
	}, nil)
	return separable
}

// Default returns the default of a disjunction, nil if it has none or is none.
func Default(e ast.Expr) ast.Expr {
	b, ok := e.(*ast.BinaryExpr)
	if !ok || b.Op != token.OR {
		return nil
	}
	for _, side := range []ast.Expr{b.X, b.Y} {
		if marked, ok := side.(*ast.UnaryExpr); ok && marked.Op == token.MUL {
			return marked.X
		}
		if found := Default(side); found != nil {
			return found
		}
	}
	return nil
}

// Schema is what the module says a value may be: one alternative or several. It
// remembers what it was asked, so that one is for all instances of a module.
type Schema struct {
	alternatives []cue.Value
	defaults     []cue.Value // of them
	own          string      // the module's values.cue

	fields   map[string]*Schema // that were asked for
	element  *Schema
	listed   []string // of names
	isListed bool
}

// NewSchema returns the schema that a value is. It need not exist.
func NewSchema(v cue.Value) *Schema {
	all := &Schema{}
	if !v.Exists() {
		return all
	}
	if value, ok := v.Default(); ok {
		all.defaults = []cue.Value{value}
	}
	op, parts := v.Expr()
	if op != cue.OrOp {
		all.alternatives = []cue.Value{v}
		return all
	}
	for _, part := range parts {
		all.alternatives = append(all.alternatives, NewSchema(part).alternatives...)
	}
	return all
}

// of says which file the module's values are in.
func (s *Schema) of(file string) {
	if s.own != file {
		s.own, s.fields, s.element = file, nil, nil
	}
}

// haveOther says whether there is a default other than a value.
func (s *Schema) haveOther(value ast.Expr) bool {
	return slices.ContainsFunc(s.defaults, func(v cue.Value) bool {
		return !cuecontext.New().BuildExpr(value).Equals(v)
	})
}

// names returns the names of the fields in order.
func (s *Schema) names() []string {
	if s.isListed {
		return s.listed
	}
	for _, v := range s.alternatives {
		fields, err := v.Fields(cue.Optional(true))
		for err == nil && fields.Next() {
			if name := fields.Selector().Unquoted(); !slices.Contains(s.listed, name) {
				s.listed = append(s.listed, name)
			}
		}
	}
	s.isListed = true
	return s.listed
}

func (s *Schema) child(name string) *Schema {
	found, ok := s.fields[name]
	if !ok {
		found = s.lookup(cue.Str(name), cue.Str(name).Optional(), cue.AnyString)
		if s.fields == nil {
			s.fields = map[string]*Schema{}
		}
		s.fields[name] = found
	}
	return found
}

func (s *Schema) elements() *Schema {
	if s.element == nil {
		s.element = s.lookup(cue.AnyIndex)
	}
	return s.element
}

// lookup returns what the first selector that leads anywhere leads to.
func (s *Schema) lookup(selectors ...cue.Selector) *Schema {
	found := &Schema{own: s.own}
	for _, v := range s.alternatives {
		for _, selector := range selectors {
			if at := v.LookupPath(cue.MakePath(selector)); at.Exists() {
				of := NewSchema(at)
				found.alternatives = append(found.alternatives, of.alternatives...)
				found.defaults = append(found.defaults, of.defaults...)
				break
			}
		}
	}
	return found
}

// UsedImports returns the imports that a resolved file refers to.
func UsedImports(file *ast.File) map[*ast.ImportSpec]bool {
	used := map[*ast.ImportSpec]bool{}
	ast.Walk(file, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			if spec, ok := ident.Node.(*ast.ImportSpec); ok {
				used[spec] = true
			}
		}
		return true
	}, nil)
	return used
}

// LabelName returns the name of a regular field, and "" for a hidden one, a
// definition, a pattern and a name that has to be computed.
func LabelName(l ast.Label) string {
	if alias, ok := l.(*ast.Alias); ok {
		inner, ok := alias.Expr.(ast.Label)
		if !ok {
			return ""
		}
		l = inner
	}
	name, isIdent, err := ast.LabelName(l)
	if err != nil || isIdent && IsHiddenOrDefinition(name) {
		return ""
	}
	return name
}

// IsHiddenOrDefinition says whether an identifier names no regular field.
func IsHiddenOrDefinition(name string) bool { return name != "" && (name[0] == '_' || name[0] == '#') }
