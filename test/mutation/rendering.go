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
		promise: "s51", file: "pkg/internal/pipeline/krm/output.go",
		old:  "problems = append(problems, l.rememberDefault(item))",
		new:  "",
		test: "./pkg/internal/pipeline/krm -run TestFunction/namespace_given",
	}, {
		promise: "s52", file: "pkg/internal/pipeline/krm/annotations.go",
		old:  "if domain == internalDomain || ",
		new:  "if len(domain) < 0 || ",
		test: "./pkg/internal/pipeline/krm -run TestFunction/reserved",
	}, {
		promise: "s52", file: "pkg/internal/pipeline/krm/annotations.go",
		old:  `case "behavior", "prefixes"`,
		new:  `case "prefixes"`,
		test: "./pkg/internal/pipeline/krm -run TestFunction/reserved",
	}, {
		promise: "s52", file: "pkg/internal/pipeline/krm/annotations.go",
		old:  `"id", "function":`,
		new:  `"id":`,
		test: "./pkg/internal/pipeline/krm -run TestFunction/claimed",
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
	}}
}

// ofLinks returns the protections of what is written.
func ofLinks() []protection {
	return []protection{{
		promise: "s54", file: "pkg/internal/link/link.go",
		old:  "case info.Mode()&fs.ModeSymlink != 0:",
		new:  "case info.Mode()&fs.ModeSymlink != 0 && dir == \"\":",
		test: "./pkg/internal/link -run TestCheck",
	}, {
		promise: "s54", file: "pkg/internal/action/vendor/crd.go",
		old:  "if err := link.Check(dir, ",
		new:  "if err := link.Check(\"\", ",
		test: "./pkg/internal/action/vendor -run TestKubernetesLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/mod/init.go",
		old:  "if err = link.Check(req.Dir, ",
		new:  "if err = link.Check(\"\", ",
		test: "./pkg/internal/action/mod -run TestInitLinks",
	}, {
		promise: "s54", file: "pkg/registry/archive/extract.go",
		old:  "if err = link.Check(dir, \".\"); err != nil {",
		new:  "if err = link.Check(\"\", \".\"); err != nil {",
		test: "./pkg/registry/archive -run TestExtractToLink",
	}, {
		promise: "s54", file: "pkg/internal/action/build/directory.go",
		old:  "if err := link.Check(req.Dir, \".\"); err != nil {",
		new:  "if err := error(nil); err != nil {",
		test: "./pkg/internal/action/build -run TestWriteDirectoryLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/mod/format.go",
		old:  "return link.WriteFile(f.dir, f.name, f.New, 0o644)",
		new:  "_ = link.Check\n\treturn os.WriteFile(f.Path, f.New, 0o644)",
		test: "./pkg/internal/action/mod -run TestWriteLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/mod/readme.go",
		old:  "link.WriteFile(filepath.Dir(name), filepath.Base(name), after, 0o644)",
		new:  "errors.Join(link.Check(module.Dir, \"x\"), os.WriteFile(name, after, 0o644))",
		test: "./pkg/internal/action/mod -run TestWriteLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/mod/test.go",
		old:  "return link.WriteFile(dir, name, data, 0o644)",
		new:  "_ = link.Check\n\treturn os.WriteFile(filepath.Join(dir, name), data, 0o644)",
		test: "./pkg/internal/action/mod -run TestWriteLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/mod/test.go",
		old:  "case !inside:",
		new:  "case !inside && file == \"\":",
		test: "./pkg/internal/action/mod -run TestTestLinks",
	}, {
		promise: "s54", file: "pkg/internal/action/build/flux.go",
		old:  "link.Check(req.Dir, name); err",
		new:  "link.Check(\"\", \"x\"); err",
		test: "./pkg/internal/action/build -run TestWriteFluxLinks",
	}}
}

// ofResults are those of the cache of rendered results.
func ofResults() []protection {
	return []protection{{
		promise: "s110", file: "pkg/module/internal/memo/memo.go",
		old:  "seal(k, data[head:]) != [sha256.Size]byte(data[len(magic):head])",
		new:  "seal(k, data[head:]) == [sha256.Size]byte{}",
		test: "./pkg/module/render -run TestCacheDamage",
	}, {
		promise: "s110", file: "pkg/module/internal/memo/memo.go",
		old:  "	h.Write(k[:])\n",
		new:  "",
		test: "./pkg/module/render -run TestCacheForeign",
	}, {
		promise: "s110", file: "pkg/module/internal/memo/source.go",
		old:  "if mask.IsWary(text) || ",
		new:  "if mask.IsWary(\"\") || ",
		test: "./pkg/module/render -run TestCacheNothing",
	}, {
		promise: "s110", file: "pkg/module/render/cache.go",
		old:  "result.isPrivate || ",
		new:  "",
		test: "./pkg/module/render -run TestCacheNothing",
	}, {
		promise: "s110", file: "pkg/module/render/cache.go",
		old:  "slices.ContainsFunc(result.Objects(), api.Object.IsSecret)",
		new:  "slices.ContainsFunc(result.Objects()[:0], api.Object.IsSecret)",
		test: "./pkg/module/render -run TestCacheNothing",
	}, {
		promise: "s110", file: "pkg/module/internal/memo/tree.go",
		old:  "	return w.entry(target, name, info.Mode().Type(), depth+1)",
		new:  "	_ = info\n\treturn nil",
		test: "./pkg/module/render -run TestCacheKey",
	}}
}
