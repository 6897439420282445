// SPDX-License-Identifier: Apache-2.0

package values

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// fieldName is the field that holds the values in a module, and that wraps
// them in a file of values.
const fieldName = "values"

// parse returns the struct of values of a source, as data: no references, no
// imports, nothing to be evaluated. It is nil when the source is empty.
func (s Source) parse() (lit *ast.StructLit, err error) {
	defer Recover(s.Name, &err)
	if s.Reference != nil {
		return nil, fmt.Errorf("values from %s: no cluster is asked here", s.Reference)
	}
	if lit, err = s.parseFormat(); err != nil || lit == nil {
		return nil, err
	}
	return lit, checkLiterals(lit)
}

func (s Source) parseFormat() (*ast.StructLit, error) {
	if s.Expr != nil {
		return s.asStruct(s.Expr)
	}
	if s.Data = s.text(); sops.IsEncrypted(s.Data) {
		return nil, s.refuseEncrypted()
	}
	if s.Format == Detect {
		s.Format = detect(s.Name, s.Data)
	}
	if s.Format == CUE {
		return s.parseCUE()
	}
	expr, err := s.decode()
	if err != nil || expr == nil {
		return nil, err
	}
	return s.unwrap(expr)
}

// text returns the data without the byte order mark that some editors write.
func (s Source) text() []byte { return bytes.TrimPrefix(s.Data, []byte("\ufeff")) }

// Recover turns a panic of CUE or of its decoders into an error that names what
// was read. It has to be deferred.
func Recover(name string, err *error) {
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("%s: internal error of CUE: %s", name, mask.Quoted(fmt.Sprint(reason)))
	}
}

// Extract returns what a document in YAML or JSON holds, nil if it is empty. Its
// numbers and names are checked as those of values are.
func Extract(name string, format Format, data []byte) (expr ast.Expr, err error) {
	defer Recover(name, &err)
	s := Source{Name: name, Format: format, Data: data}
	s.Data = s.text()
	if expr, err = s.decode(); err == nil && expr != nil {
		err = checkLiterals(expr)
	}
	if err == nil {
		return expr, nil
	}
	list := Problems(err)
	for i, p := range list {
		list[i] = Problem{Message: strings.TrimPrefix(p.Message, fieldName+": "), Positions: p.Positions}
	}
	return nil, NewError(list)
}

// decode returns the only document of YAML or JSON, nil if there is none.
func (s Source) decode() (ast.Expr, error) {
	if s.Format == YAML {
		return s.decodeYAML()
	}
	if len(bytes.TrimSpace(s.Data)) == 0 {
		return nil, nil
	}
	expr, err := json.Extract(s.Name, s.Data)
	if err != nil {
		return nil, s.syntaxError(err)
	}
	return expr, nil
}

// decodeYAML returns the only document that is not empty, nil if there is none.
func (s Source) decodeYAML() (ast.Expr, error) {
	if err := s.checkYAML(); err != nil {
		return nil, err
	}
	var found ast.Expr
	decoder := yaml.NewDecoder(s.Name, bytes.NewReader(s.Data))
	for {
		expr, err := decoder.Extract()
		atEnd := errors.Is(err, io.EOF)
		switch {
		case err != nil && !atEnd:
			return nil, s.syntaxError(err)
		case isEmptyYAML(expr):
		case found != nil:
			return nil, Explain(errors.Newf(expr.Pos(), "values: a second YAML document, one is allowed"))
		default:
			found = expr
		}
		if atEnd {
			return found, nil
		}
	}
}

// isEmptyYAML recognises what the decoder makes of a file without a document,
// "*null | _", and of one with an empty document.
func isEmptyYAML(e ast.Expr) bool {
	if b, ok := e.(*ast.BinaryExpr); ok {
		if u, ok := b.X.(*ast.UnaryExpr); ok {
			return isNull(u.X)
		}
	}
	return e == nil || isNull(e)
}

// unwrap returns the struct of values of YAML, JSON or a bare CUE struct: the
// field values when it is the only one, the whole otherwise.
func (s Source) unwrap(expr ast.Expr) (*ast.StructLit, error) {
	lit, err := s.asStruct(expr)
	if err != nil || len(lit.Elts) != 1 {
		return lit, err
	}
	field, ok := lit.Elts[0].(*ast.Field)
	if !ok || order.LabelName(field.Label) != fieldName {
		return lit, nil
	}
	if isNull(field.Value) {
		return nil, nil
	}
	return s.asStruct(field.Value)
}

func (s Source) asStruct(expr ast.Expr) (*ast.StructLit, error) {
	if lit, ok := expr.(*ast.StructLit); ok {
		return lit, nil
	}
	what := "a scalar"
	if _, ok := expr.(*ast.ListLit); ok {
		what = "a list"
	}
	return nil, Explain(errors.Newf(expr.Pos(), "values must be a map of names to values, not %s", what))
}

// cueRE matches the lines that a file in CUE begins with, and no file in YAML.
var cueRE = regexp.MustCompile(`(?m)\A(?:\s*(?://.*)?\n)*(?:package |import |@|//|values: *\{ *$)`)

// DetectFormat returns the format of data without a file name that says it. The
// name is for errors.
func DetectFormat(name string, data []byte) Format { return detect(name, data) }

// detect returns the format of data without a file name. YAML is the likely
// one and also reads most of JSON; CUE that YAML would read as well, but
// otherwise than it is meant, is recognised by what only CUE has.
func detect(name string, data []byte) Format {
	if stdjson.Valid(data) {
		return JSON
	}
	_, yamlErr := Source{Name: name, Data: data}.decodeYAML()
	file, cueErr := parser.ParseFile(name, data, parser.ParseComments)
	switch {
	case yamlErr != nil && (cueErr == nil || cueRE.Match(data)):
		return CUE
	case yamlErr == nil && cueErr == nil && onlyCUE(file):
		return CUE
	}
	return YAML
}

// onlyCUE says whether a file that parses as CUE and as YAML holds something
// that YAML does not have: a package clause, a comment of the form //, a
// declaration that is no plain field, a reference. A name that means nothing in
// CUE is a string of YAML.
func onlyCUE(file *ast.File) bool {
	for _, ident := range file.Unresolved {
		if !isType(ident) {
			return false
		}
	}
	found := false
	ast.Walk(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CommentGroup, *ast.Package, *ast.ImportDecl, *ast.LetClause,
			*ast.Comprehension, *ast.Interpolation, *ast.BinaryExpr, *ast.Attribute:
			found = true
		case *ast.Ident:
			found = found || n.Node != nil
		case *ast.Field:
			name, isIdent, err := ast.LabelName(n.Label)
			found = found || err != nil || isIdent && order.IsHiddenOrDefinition(name)
		}
		return !found
	}, nil)
	return found
}

func onlyEmbed(decls []ast.Decl) (ast.Expr, bool) {
	if len(decls) != 1 {
		return nil, false
	}
	embed, ok := decls[0].(*ast.EmbedDecl)
	if !ok {
		return nil, false
	}
	return embed.Expr, true
}

func isNull(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.NULL
}
