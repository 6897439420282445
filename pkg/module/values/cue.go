// SPDX-License-Identifier: Apache-2.0

package values

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/inject/embed"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// parseCUE reads a CUE source: a file with a field values, or a struct alone,
// as the instance record holds it. What is more than data is evaluated, in a
// scope of its own.
func (s Source) parseCUE() (*ast.StructLit, error) {
	file, err := parser.ParseFile(s.Name, s.Data)
	if err != nil {
		return nil, s.syntaxError(err)
	}
	if embed, ok := onlyEmbed(file.Decls); ok {
		if lit, ok := embed.(*ast.StructLit); ok && isData(lit) {
			return s.unwrap(lit)
		}
	}
	if expr, ok := plainValues(file); ok {
		return s.asStruct(expr)
	}
	value, err := s.evaluate(file)
	if err != nil {
		return nil, err
	}
	expr, err := Literal(value)
	if err != nil {
		return nil, err
	}
	return s.asStruct(expr)
}

// plainValues returns what the field values of a file holds, when the file
// consists of it alone and it is plain data.
func plainValues(file *ast.File) (ast.Expr, bool) {
	var found ast.Expr
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.Package:
		case *ast.Field:
			if found != nil || order.LabelName(d.Label) != fieldName || d.Constraint != token.ILLEGAL || !isData(d.Value) {
				return nil, false
			}
			found = d.Value
		default:
			return nil, false
		}
	}
	return found, found != nil
}

// isData says whether an expression is what JSON could say too: structs of
// distinct regular fields, lists and scalars.
func isData(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.UnaryExpr:
		_, isLit := x.X.(*ast.BasicLit)
		return isLit && (x.Op == token.SUB || x.Op == token.ADD)
	case *ast.ListLit:
		for _, elem := range x.Elts {
			if !isData(elem) {
				return false
			}
		}
		return true
	case *ast.StructLit:
		seen := make(map[string]bool, len(x.Elts))
		for _, decl := range x.Elts {
			field, ok := decl.(*ast.Field)
			if !ok || field.Constraint != token.ILLEGAL || field.Alias != nil || len(field.Attrs) > 0 {
				return false
			}
			if _, isAlias := field.Label.(*ast.Alias); isAlias {
				return false
			}
			name := order.LabelName(field.Label)
			if name == "" || seen[name] || !isData(field.Value) {
				return false
			}
			seen[name] = true
		}
		return true
	}
	return false
}

// evaluate returns the values of a file that says more than data.
func (s Source) evaluate(file *ast.File) (cue.Value, error) {
	if err := s.checkImports(file); err != nil {
		return cue.Value{}, err
	}
	inst := build.NewContext().NewInstance(s.Dir, nil)
	inst.Module, inst.Root = "values.local", s.Dir // @embed wants a module
	if s.Dir != "" {
		tokFile(file).SetFSLoc(token.FSLoc{FS: os.DirFS(s.Dir), Path: filepath.Base(s.Name)})
	}
	if err := inst.AddSyntax(file); err != nil {
		return cue.Value{}, Explain(err)
	}
	if err := inst.Complete(); err != nil {
		return cue.Value{}, Explain(err)
	}
	root := cuecontext.New(cuecontext.WithInjection(embed.New())).BuildInstance(inst)
	if err := Check(root); err != nil {
		return cue.Value{}, err
	}
	if v := root.LookupPath(cue.MakePath(cue.Str(fieldName))); v.Exists() {
		return v, nil
	}
	if embed, ok := onlyEmbed(file.Decls); ok {
		if _, ok := embed.(*ast.StructLit); ok {
			return root, nil
		}
	}
	return cue.Value{}, &NoValuesError{Explain(errors.Newf(file.Pos(), noValues))}
}

// NoValuesError says that a CUE file of values has no field values.
type NoValuesError struct{ Err error }

// Error says where.
func (e *NoValuesError) Error() string { return e.Err.Error() }

// Unwrap returns the *Error.
func (e *NoValuesError) Unwrap() error { return e.Err }

// noValues is what a file without values is told.
const noValues = "no field values"

// checkImports refuses what a file of values cannot have: packages that are
// not CUE's own, and @embed where there is no directory to read from.
func (s Source) checkImports(file *ast.File) error {
	for spec := range file.ImportSpecs() {
		path, _ := strconv.Unquote(spec.Path.Value)
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			return Explain(errors.Newf(spec.Pos(), "import %q: a file of values may import packages of CUE's standard library only", path))
		}
	}
	var found *ast.Attribute
	ast.Walk(file, func(n ast.Node) bool {
		if attr, ok := n.(*ast.Attribute); ok && attr.Name() == "embed" && found == nil {
			found = attr
		}
		return found == nil
	}, nil)
	if found != nil && s.Dir == "" {
		return Explain(errors.Newf(found.Pos(), "@embed needs a file of values that a command line names, to whose directory it is relative"))
	}
	return nil
}

func tokFile(file *ast.File) *token.File {
	if f := file.Pos().File(); f != nil {
		return f
	}
	return token.NewFile(file.Filename, -1, 0)
}

// Literal returns an evaluated value as syntax, with the positions of what it
// was evaluated from. A part that is not concrete keeps its expression, if that
// refers to nothing else, and is an error otherwise. A scalar that is a default
// stays one, on the same condition.
func Literal(v cue.Value) (ast.Expr, error) {
	open := v
	v, hasDefault := v.Default()
	if err := v.Err(); err != nil {
		return nil, Explain(err)
	}
	switch v.IncompleteKind() {
	case cue.StructKind:
		return structLiteral(v)
	case cue.ListKind:
		if v.IsConcrete() {
			return listLiteral(v)
		}
	}
	if hasDefault {
		if expr, ok := open.Syntax().(ast.Expr); ok && order.Default(expr) != nil && locate(expr, open) {
			return expr, nil
		}
	}
	return scalarLiteral(v)
}

func structLiteral(v cue.Value) (ast.Expr, error) {
	fields, err := v.Fields()
	if err != nil {
		return nil, Explain(err)
	}
	lit := &ast.StructLit{Lbrace: v.Pos()}
	for fields.Next() {
		value, err := Literal(fields.Value())
		if err != nil {
			return nil, err
		}
		label := ast.NewString(fields.Selector().Unquoted())
		label.ValuePos = fields.Value().Pos()
		if field, ok := fields.Value().Source().(*ast.Field); ok {
			label.ValuePos = field.Label.Pos()
		}
		lit.Elts = append(lit.Elts, &ast.Field{Label: label, Value: value})
	}
	return lit, nil
}

func listLiteral(v cue.Value) (ast.Expr, error) {
	items, err := v.List()
	if err != nil {
		return nil, Explain(err)
	}
	lit := &ast.ListLit{Lbrack: v.Pos()}
	for items.Next() {
		item, err := Literal(items.Value())
		if err != nil {
			return nil, err
		}
		lit.Elts = append(lit.Elts, item)
	}
	return lit, nil
}

func scalarLiteral(v cue.Value) (ast.Expr, error) {
	expr, ok := v.Syntax(cue.Final()).(ast.Expr)
	if !ok {
		return nil, Explain(errors.Newf(v.Pos(), "%s: not a value", v.Path()))
	}
	if !locate(expr, v) {
		return nil, Explain(errors.Newf(expr.Pos(), "%s: the value depends on something that the file does not say", v.Path()))
	}
	return expr, nil
}

// locate gives an expression the position of the value that it is of. It is false
// when the expression refers to something else.
func locate(expr ast.Expr, v cue.Value) (selfContained bool) {
	pos := v.Pos()
	if field, ok := v.Source().(*ast.Field); ok {
		pos = field.Value.Pos()
	}
	selfContained = true
	ast.Walk(expr, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			selfContained = selfContained && isType(ident)
		}
		ast.SetPos(n, pos)
		return true
	}, nil)
	return selfContained
}
