// SPDX-License-Identifier: Apache-2.0

package main

// ofPolicies returns the protections of what policies find.
func ofPolicies() []protection {
	return []protection{{
		promise: "s150", file: "test/modules/policies/baseline.cue",
		old:  ` | "container_engine_t"`,
		new:  ``,
		test: "./test/e2e -run TestPodSecurity",
	}, {
		promise: "s151", file: "pkg/internal/action/deploy/kustomize.go",
		old:  "code == fail.Refused || code == fail.No",
		new:  "code == fail.Refused",
		test: "./test/e2e -run TestScripts/krm/vet$",
	}, {
		promise: "s152", file: "pkg/internal/pipeline/vet/open.go",
		old:  "if s.embedsImported(n, packages) {",
		new:  "if false && s.embedsImported(n, packages) {",
		test: "./pkg/internal/pipeline/krm -run TestFunction/vet_closed",
	}, {
		promise: "s152", file: "pkg/internal/pipeline/vet/open.go",
		old:  "!closed[n] && ",
		new:  "",
		test: "./pkg/internal/pipeline/krm -run TestFunction/vet_open",
	}, {
		promise: "s153", file: "pkg/internal/pipeline/vet/problem.go",
		old:  "list := g.found\n",
		new:  "list := g.found[:0]\n",
		test: "./pkg/internal/pipeline/krm -run TestFunction/vet_open",
	}, {
		promise: "s154", file: "pkg/internal/pipeline/vet/file.go",
		old:  "} else if annotations[buildID] != \"\" {",
		new:  "} else if false {",
		test: "./pkg/internal/pipeline/krm -run TestFunction/vet_file",
	}, {
		promise: "s154", file: "pkg/internal/pipeline/vet/file.go",
		old:  "if !exists(path, dirs) {",
		new:  "if path == \"\" {",
		test: "./pkg/internal/pipeline/krm -run TestFunction/vet_file",
	}}
}
