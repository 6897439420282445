// SPDX-License-Identifier: Apache-2.0

package main

// ofRendering returns the protections against modules and kustomizations.
func ofRendering() []protection {
	return []protection{{
		promise: "s50", file: "pkg/module/render/serverfields.go",
		old:  "if metadata[field] != nil {",
		new:  "if false {",
		test: "./pkg/module/render -run TestBuild/server_fields",
	}, {
		promise: "s50", file: "pkg/module/render/serverfields.go",
		old:  `o["status"] != nil && (`,
		new:  `false && (`,
		test: "./pkg/module/render -run TestBuild/server_fields",
	}, {
		promise: "s51", file: "pkg/pipeline/krm/output.go",
		old:  "problems = append(problems, l.rememberDefault(o))",
		new:  "",
		test: "./pkg/pipeline/krm -run TestFunction/namespace_given",
	}, {
		promise: "s52", file: "pkg/pipeline/krm/annotations.go",
		old:  "if domain == internalDomain || ",
		new:  "if ",
		test: "./pkg/pipeline/krm -run TestFunction/reserved",
	}, {
		promise: "s52", file: "pkg/pipeline/krm/annotations.go",
		old:  `case "behavior", "prefixes"`,
		new:  `case "prefixes"`,
		test: "./pkg/pipeline/krm -run TestFunction/reserved",
	}, {
		promise: "s52", file: "pkg/pipeline/krm/annotations.go",
		old:  `"id", "function":`,
		new:  `"id":`,
		test: "./pkg/pipeline/krm -run TestFunction/claimed",
	}, {
		promise: "s53", file: "pkg/module/render/load.go",
		old:  "inside, err := values.Within(f.root, name)",
		new:  "inside, err := true, error(nil)",
		test: "./pkg/module/render -run TestLinks",
	}, {
		promise: "s53", file: "pkg/module/render/load.go",
		old:  "inside, err := values.Within(f.within, name)",
		new:  "inside, err := true, error(nil)",
		test: "./pkg/module/render -run TestLinks",
	}, {
		promise: "s54", file: "pkg/link/link.go",
		old:  "case info.Mode()&fs.ModeSymlink != 0:",
		new:  "case false:",
		test: "./pkg/link -run TestCheck",
	}, {
		promise: "s54", file: "pkg/action/vendor/crd.go",
		old:  "if err := link.Check(dir, ",
		new:  "if err := link.Check(\"\", ",
		test: "./pkg/action/vendor -run TestKubernetesLinks",
	}, {
		promise: "s54", file: "pkg/action/mod/init.go",
		old:  "if err = link.Check(req.Dir, ",
		new:  "if err = link.Check(\"\", ",
		test: "./pkg/action/mod -run TestInitLinks",
	}, {
		promise: "s54", file: "pkg/registry/oci/extract.go",
		old:  "if err = link.Check(dir, \".\"); err != nil {",
		new:  "if false {",
		test: "./pkg/registry/oci -run TestExtractToLink",
	}, {
		promise: "s54", file: "pkg/action/build/directory.go",
		old:  "if err := link.Check(req.Dir, \".\"); err != nil {",
		new:  "if err := error(nil); err != nil {",
		test: "./pkg/action/build -run TestWriteDirectoryLinks",
	}}
}
