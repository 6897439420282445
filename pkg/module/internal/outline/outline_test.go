// SPDX-License-Identifier: Apache-2.0

package outline_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/outline"
)

// sources are files with an outline, and what makes them hard to read.
func sources() map[string]string {
	return map[string]string{
		"plain":      "package p\n\nimport \"strings\"\n\n#A: strings.MinRunes(1)\n#B?: #A\n_c!: 1\n_#d: {x: 1}\n$e: [1]\n",
		"group":      "package p\n\nimport (\n\t\"strings\"\n\tv1 \"example.com/v1\"\n)\n\na: v1.#B\nb: strings.Join\n",
		"quoted":     "package p\n\n\"a-b\": 1\n\"\": 2\n",
		"chain":      "package p\n\na: b: c: 1\na: X={d: X.b}\n",
		"lines":      "package p\n\na:\n\t1 |\n\t2\nb: 1 + // more\n\n\t2\nc: (\n1)\n",
		"indented":   "package p\n\n  a: 1\n\tb: 2\n",
		"strings":    "package p\n\na: \"{\\\"\\\\\"\nb: '}'\nc: \"\"\"\n\t\"\" }\n\t\"\"\"\nd: #\"\\(x)\"#\ne: ##\"\"\"\n\t\"#\"\"\"#\n\t\"\"\"##\nf: \"\"\n",
		"interpol":   "package p\n\na: \"x\\(b)y\\({c: \"}\\(d)\"}.c)\"\nb: \"\"\"\n\t\\(a)\"\"\"\n\t\"\"\"\nd: 1\n",
		"attributes": "package p\n\na: 1 @go(A,map[string]*v1.B)\nb: {} @x(\"}\", ')', (a, [b]))\n",
		"comments":   "// { \" \npackage p // import\n\n// a: 1\na: 1 // \"\n// }\nb: {\n\t// ]\n\tc: 2 // )\n}\n// end",
		"bottom":     "package p\n\na: _|_\nb: _\nc: 0.\nd: >=1.5e-3 & <=0x1F & !=1Ki\ne: =~\"a\" | *null | {...}\n",
		"keywords":   "package p\n\nlet: 3\nfor: 4\nif: 5\n",
		"nested":     "package p\n\na: [for x in [1] if x > 0 {let y = x, z: y}]\nb: {[string]: int, (\"c\"): 1, if true {d: 2}}\n",
		"windows":    "package p\r\n\r\na: 1\r\nb: \"\"\"\r\n\tx\r\n\t\"\"\"\r\n",
	}
}

// TestOf holds that the outline of a file is what CUE's parser finds in it.
func TestOf(t *testing.T) {
	t.Parallel()
	for name, src := range sources() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !check(t, []byte(src)) {
				t.Error("no outline, or not CUE")
			}
		})
	}
}

// TestOfVendored reads the vendored packages of the samples.
func TestOfVendored(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../test/modules/*/cue.mod/*/*/*/*/*/*.cue")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !check(t, src) && strings.Contains(string(src), "\n#") {
			t.Errorf("%s has no outline", name)
		}
	}
}

// check compares the outline of a file with its syntax. It is false for a file
// that has only one of the two.
func check(t *testing.T, src []byte) bool {
	t.Helper()
	o, ok := outline.Of(src)
	file, err := parser.ParseFile("a.cue", src)
	if !ok || err != nil {
		return false
	}
	fields, header := split(file)
	if len(fields) != len(o.Fields) {
		t.Fatalf("%d fields, want %d, in\n%s", len(o.Fields), len(fields), src)
	}
	for i, f := range fields {
		name, _, err := ast.LabelName(f.Label)
		if err != nil || name != o.Fields[i].Name {
			t.Errorf("field %q, want %q: %v", o.Fields[i].Name, name, err)
		}
		if at := f.Pos().Offset(); at != o.Fields[i].Start {
			t.Errorf("field %s starts at %d, want %d", name, o.Fields[i].Start, at)
		}
	}
	if diff := cmp.Diff(header, outline.Imports(src)); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	for _, keep := range []func(int) bool{
		func(int) bool { return true },
		func(int) bool { return false },
		func(i int) bool { return i%2 == 0 },
		func(i int) bool { return i%2 == 1 },
	} {
		checkWithout(t, src, o, fields, keep)
	}
	return true
}

func split(file *ast.File) (fields []*ast.Field, imports []string) {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.Field); ok {
			fields = append(fields, f)
		}
	}
	for spec := range file.ImportSpecs() {
		imports = append(imports, strings.Trim(spec.Path.Value, `"`))
	}
	return fields, imports
}

// checkWithout holds that what is kept of a file is parsed as in the whole, at
// the same places.
func checkWithout(t *testing.T, src []byte, o outline.File, fields []*ast.Field, keep func(int) bool) {
	t.Helper()
	part := o.Without(src, keep)
	file, err := parser.ParseFile("a.cue", part)
	if err != nil {
		t.Fatalf("%v in\n%s\nfrom\n%s", err, part, src)
	}
	var want []string
	for i, f := range fields {
		if keep(i) {
			want = append(want, places(f)...)
		}
	}
	kept, _ := split(file)
	var got []string
	for _, f := range kept {
		got = append(got, places(f)...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("kept (-want +got):\n%s\nof\n%s", diff, src)
	}
}

// places returns each name and literal of a field, with its position.
func places(field *ast.Field) []string {
	var all []string
	ast.Walk(field, func(n ast.Node) bool {
		p := n.Pos().Position()
		p.Offset = 0
		switch x := n.(type) {
		case *ast.Ident:
			all = append(all, p.String()+" "+x.Name)
		case *ast.BasicLit:
			all = append(all, p.String()+" "+x.Value)
		case *ast.Attribute:
			all = append(all, p.String()+" "+x.Text)
		case *ast.CommentGroup:
			return false
		default:
			all = append(all, p.String())
		}
		return true
	}, nil)
	return all
}

// TestDoubt holds that there is no outline of what is more than fields.
func TestDoubt(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"no package":      "a: 1\n",
		"no fields":       "package p\n",
		"let":             "package p\n\nlet x = 1\na: x\n",
		"alias":           "package p\n\nX=a: 1\n",
		"postfix alias":   "package p\n\na~X: 1\n",
		"embedding":       "package p\n\na: 1\n{b: 2}\n",
		"reference":       "package p\n\na: {}\na\n",
		"comprehension":   "package p\n\na: 1\nif true {b: 2}\n",
		"loop":            "package p\n\nfor x in [1] {b: x}\n",
		"pattern":         "package p\n\n[string]: int\n",
		"dynamic":         "package p\n\n(\"a\"): 1\n",
		"interpolation":   "package p\n\n\"\\(\"a\")\": 1\n",
		"escaped label":   "package p\n\n\"\\u0061\": 1\n",
		"raw label":       "package p\n\n#\"a\"#: 1\n",
		"ellipsis":        "package p\n\na: 1\n...\n",
		"file attribute":  "@if(x)\n\npackage p\n\na: 1\n",
		"extern":          "@extern(embed)\n\npackage p\n\na: 1\n",
		"field attribute": "package p\n\na: 1\n@x(b)\n",
		"package":         "package p\n\npackage: 1\n",
		"import":          "package p\n\na: 1\nimport: 1\n",
		"comma":           "package p\n\na: 1, b: 2\n",
		"comma below":     "package p\n\na: 1\n, b: 2\n",
		"colon below":     "package p\n\na\n: 1\n",
		"open":            "package p\n\na: {\n",
		"closed":          "package p\n\na: 1}\n",
		"mixed brackets":  "package p\n\na: [1}\nb: {2]\n",
		"open string":     "package p\n\na: \"\nb: \"\n",
		"letters":         "package p\n\nä: 1\n",
		"mark":            "\ufeffpackage p\n\na: 1\n",
		"not UTF-8":       "package p\n\na: \"\xff\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if o, ok := outline.Of([]byte(src)); ok {
				t.Errorf("outline %+v", o)
			}
		})
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value string
		want  []string
	}{
		"names":         {"#A & b | [...c]", []string{"#A", "b", "c"}},
		"selectors":     {"v1.#B & v1.\"c-d\" & x.y.z", []string{"v1 #B", "v1 c-d", "x y"}},
		"index":         {"v1[\"#B\"]", []string{"v1"}},
		"whole":         {"v1 & {a: v1}", []string{"v1", "v1"}},
		"labels":        {"{b: 1, c?: 2, d!: 3, \"e\": 4}", nil},
		"slice":         {"x[v1:w]", []string{"x", "v1", "w"}},
		"dynamic":       {"{(v1.a): 1, \"\\(v2.b)\": 2, [v3.c]: 4}", []string{"v1 a", "v2 b", "v3 c"}},
		"interpolation": {"\"v1.a \\(v2.b) v3\"", []string{"v2 b"}},
		"raw":           {"#\"\\(v1.a) \\#(v2.b)\"#", []string{"v2 b"}},
		"comment":       {"1 // v1.a\n", nil},
		"attribute":     {"1 @go(v1.A)", nil},
		"loop":          {"[for x, y in v1.a if b {x}]", []string{"for", "x", "y", "in", "v1 a", "if", "b", "x"}},
		"number":        {"1Ki & 0x1F & 1.5", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := []byte("package p\n\nfield: " + tc.value)
			o, ok := outline.Of(src)
			if !ok {
				t.Fatal("no outline")
			}
			var got []string
			ok = outline.Uses(src, o.Fields[0], func(use outline.Use) bool {
				got = append(got, strings.TrimSpace(use.Name+" "+use.Selected))
				return true
			})
			if diff := cmp.Diff(tc.want, got); diff != "" || !ok {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzOf holds that the outline of whatever CUE's parser accepts is right, and
// that no name of a kept field is missed.
func FuzzOf(f *testing.F) {
	for _, src := range sources() {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if !check(t, src) {
			return
		}
		o, _ := outline.Of(src)
		file, err := parser.ParseFile("a.cue", src)
		if err != nil {
			t.Fatal(err)
		}
		fields, _ := split(file)
		for i, field := range fields {
			checkUses(t, src, o.Fields[i], field)
		}
	})
}

func checkUses(t *testing.T, src []byte, f outline.Field, field *ast.Field) {
	t.Helper()
	got := map[string]bool{}
	if !outline.Uses(src, f, func(use outline.Use) bool {
		got[use.Name] = true
		return true
	}) {
		return
	}
	ast.Walk(field, func(n ast.Node) bool {
		var operands []ast.Expr
		switch x := n.(type) {
		case *ast.SelectorExpr:
			operands = []ast.Expr{x.X}
		case *ast.IndexExpr:
			operands = []ast.Expr{x.X, x.Index}
		case *ast.SliceExpr:
			operands = []ast.Expr{x.X, x.Low, x.High}
		case *ast.BinaryExpr:
			operands = []ast.Expr{x.X, x.Y}
		case *ast.CallExpr:
			operands = append(slices.Clone(x.Args), x.Fun)
		case *ast.Interpolation:
			operands = x.Elts
		case *ast.ListLit:
			operands = x.Elts
		case *ast.ParenExpr:
			operands = []ast.Expr{x.X}
		case *ast.EmbedDecl:
			operands = []ast.Expr{x.Expr}
		case *ast.Field:
			operands = []ast.Expr{x.Value}
		}
		for _, e := range operands {
			if id, ok := e.(*ast.Ident); ok && !got[id.Name] {
				t.Errorf("%q is not among the names used by\n%s", id.Name, src)
			}
		}
		return true
	}, nil)
}
