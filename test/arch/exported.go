// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkExported holds that what a package exports is used outside of it: by
// another package, by an Example function or on the page of the library. The
// rest is part of no contract, and hides what can be changed.
//
// It reads source without types. For a name of a package that is exact, since an
// import says whose it is. A field or a method counts as used where its name is
// selected or set in any other package, so some unused ones are not found.
func checkExported(files []File) []Finding {
	x := &exports{used: map[packageName]bool{}, selected: map[string]map[string]bool{}, required: map[string]bool{}, onPage: map[string]int{}}
	for _, name := range []string{"Error", "String", "Unwrap", "MarshalJSON", "UnmarshalJSON", "ModuleVersions" /* CUE's loader */} {
		x.required[name] = true
	}
	for _, f := range files {
		switch {
		case f.Path == libraryPage:
			x.addPage(f.Source)
		case path.Ext(f.Path) == ".go" && !isTestdata(f.Path):
			x.addFile(f)
		}
	}
	var all []Finding
	declared := map[string]bool{}
	for _, e := range x.exports {
		declared[path.Base(path.Dir(e.file))+"."+e.name], declared[e.String()] = true, true
		if !x.isUsed(e) {
			all = append(all, Finding{e.file, e.line, "exported", e.String() + " is used in its own package only: unexport or delete it"})
		}
	}
	for name, line := range x.onPage {
		if pkg, _, _ := strings.Cut(name, "."); !declared[name] && !isForeign(pkg) {
			all = append(all, Finding{libraryPage, line, "exported", name + " does not exist"})
		}
	}
	return all
}

// libraryPage lists names for those who import the packages.
const libraryPage = "docs/library.md"

// isForeign reports whether a package on that page is not one of ours.
func isForeign(pkg string) bool { return pkg == "errors" || pkg == "rest" || pkg == "apierrors" }

// exports is what packages export, and what is used of it.
type exports struct {
	exports  []export
	used     map[packageName]bool
	selected map[string]map[string]bool // fields and methods: the directories that select the name
	required map[string]bool            // methods of interfaces
	onPage   map[string]int             // names on the page of the library: their lines
}

type packageName struct{ dir, name string }

// export is one exported name. A field or a method has the name of its type.
type export struct {
	file        string
	line        int
	owner, name string
	siblings    []string // the constants of its group, one of which stands for all
}

func (e export) String() string {
	if e.owner == "" {
		return e.name
	}
	return e.owner + "." + e.name
}

func (x *exports) isUsed(e export) bool {
	dir := path.Dir(e.file)
	if e.owner == "" {
		return slices.ContainsFunc(append(e.siblings, e.name), func(name string) bool {
			return x.used[packageName{dir, name}] || x.used[packageName{path.Base(dir), name}]
		})
	}
	for other := range x.selected[e.name] {
		if other != dir {
			return true
		}
	}
	return x.required[e.name]
}

// qualified is a name with its package, or a field or a method with its type.
var qualified = regexp.MustCompile("`\\*?(\\w+)\\.([A-Z]\\w*)`")

func (x *exports) addPage(text string) {
	for _, m := range qualified.FindAllStringSubmatchIndex(text, -1) {
		pkg, name := text[m[2]:m[3]], text[m[4]:m[5]]
		x.onPage[pkg+"."+name] = 1 + strings.Count(text[:m[0]], "\n")
		x.used[packageName{pkg, name}] = true
		x.selects(name, "docs")
	}
}

func (x *exports) selects(name, dir string) {
	if x.selected[name] == nil {
		x.selected[name] = map[string]bool{}
	}
	x.selected[name][dir] = true
}

func (x *exports) addFile(f File) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, f.Path, f.Source, parser.SkipObjectResolution)
	if err != nil {
		return // checkFile reports it
	}
	isTest := strings.HasSuffix(f.Path, "_test.go")
	user := user{exports: x, dir: path.Dir(f.Path), imports: importNames(tree)}
	for _, decl := range tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && isTest && strings.HasPrefix(fn.Name.Name, "Example") {
			user.addUses(decl, "example")
			continue
		}
		user.addUses(decl, user.dir)
		if !isTest && isProduct(f.Path) {
			d := declarer{exports: x, file: f.Path, fset: fset}
			d.addDecl(decl)
		}
	}
}

// isProduct reports whether a file is one of a package that ships.
func isProduct(name string) bool {
	return strings.HasPrefix(name, "pkg/") || strings.HasPrefix(name, "internal/")
}

// importNames returns the directories of our packages by the names under which
// a file knows them.
func importNames(tree *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		dir, ours := strings.CutPrefix(p, module)
		if !ours {
			continue
		}
		names[path.Base(dir)] = dir
		if spec.Name != nil {
			names[spec.Name.Name] = dir
		}
	}
	return names
}

// user collects what a file uses.
type user struct {
	*exports
	dir     string
	imports map[string]string
}

func (u user) addUses(decl ast.Node, from string) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.SelectorExpr:
			u.selects(e.Sel.Name, from)
			if x, ok := e.X.(*ast.Ident); ok {
				if dir, ours := u.imports[x.Name]; ours && dir != from {
					u.used[packageName{dir, e.Sel.Name}] = true
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := e.Key.(*ast.Ident); ok {
				u.selects(key.Name, from)
			}
		}
		return true
	})
}

// declarer collects what a file exports.
type declarer struct {
	*exports
	file string
	fset *token.FileSet
}

func (d declarer) add(owner string, id *ast.Ident, siblings ...string) {
	if id.IsExported() {
		line := d.fset.Position(id.Pos()).Line
		d.exports.exports = append(d.exports.exports, export{d.file, line, owner, id.Name, siblings})
	}
}

func (d declarer) addDecl(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		d.addFunc(decl)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				d.addValues(decl, s)
			case *ast.TypeSpec:
				d.add("", s.Name)
				d.addType(s)
			}
		}
	}
}

// addFunc adds a function, or a method of a type that is exported: those of other
// types are there for an interface.
func (d declarer) addFunc(decl *ast.FuncDecl) {
	owner := ""
	if decl.Recv != nil {
		if owner = receiver(decl.Recv.List[0].Type); !ast.IsExported(owner) {
			return
		}
	}
	d.add(owner, decl.Name)
	if decl.Name.IsExported() {
		d.mention(decl.Type)
	}
}

func (d declarer) addValues(decl *ast.GenDecl, s *ast.ValueSpec) {
	var siblings []string
	if decl.Tok == token.CONST {
		siblings = namesOf(decl)
	}
	for _, id := range s.Names {
		d.add("", id, siblings...)
	}
	if s.Type != nil {
		d.mention(s.Type)
	}
}

func namesOf(decl *ast.GenDecl) []string {
	var names []string
	for _, spec := range decl.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			names = append(names, id.Name)
		}
	}
	return names
}

func (d declarer) addType(s *ast.TypeSpec) {
	switch t := s.Type.(type) {
	case *ast.StructType:
		for _, field := range t.Fields.List {
			d.addField(s.Name.Name, field)
		}
	case *ast.InterfaceType:
		for _, m := range t.Methods.List {
			for _, id := range m.Names {
				d.required[id.Name] = true
			}
			d.mention(m.Type)
		}
	default:
		d.mention(t)
	}
}

// addField adds a field, except for those that an encoder uses and for the data
// of an error, which its callers react to.
func (d declarer) addField(owner string, field *ast.Field) {
	if len(field.Names) == 0 || field.Names[0].IsExported() {
		d.mention(field.Type)
	}
	if field.Tag != nil || strings.HasSuffix(owner, "Error") {
		return
	}
	for _, id := range field.Names {
		d.add(owner, id)
	}
}

// mention notes the types of this package in a signature: callers have their
// values without naming them.
func (d declarer) mention(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.Ident:
			d.used[packageName{path.Dir(d.file), e.Name}] = true
		}
		return true
	})
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}
