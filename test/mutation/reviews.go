// SPDX-License-Identifier: Apache-2.0

package main

// ofReviews returns the protections of plans that are reviewed.
func ofReviews() []protection {
	return []protection{{
		promise: "s120", file: "pkg/cli/ui/markdown/markdown.go",
		old:  "max(3, longestRun(diff, '`')+1)",
		new:  "3",
		test: "./pkg/cli/ui/markdown -run TestHostile",
	}, {
		promise: "s120", file: "pkg/cli/ui/markdown/markdown.go",
		old:  "isPlain(r) && (",
		new:  "r != '<' && (",
		test: "./pkg/cli/ui/markdown -run TestHostile",
	}, {
		promise: "s120", file: "pkg/cli/ui/markdown/markdown.go",
		old:  "min(c.most, c.room(limit))",
		new:  "c.most",
		test: "./pkg/cli/ui/markdown -run TestLimit",
	}, {
		promise: "s121", file: "pkg/internal/action/saved/file.go",
		old:  "sum != e.Digest",
		new:  "sum == \"\"",
		test: "./pkg/internal/action/saved -run TestTampered",
	}, {
		promise: "s121", file: "pkg/internal/action/saved/file.go",
		old:  "if e.Format != format {",
		new:  "if e.Format > format {",
		test: "./pkg/internal/action/saved -run TestDecodeRefuses",
	}, {
		promise: "s121", file: "pkg/cluster/reviewed/reviewed.go",
		old:  "case s.UID != later.UID:",
		new:  "case false:",
		test: "./test/e2e -run TestScripts/^apply$/^saved_plan_refused$",
	}, {
		promise: "s121", file: "pkg/cluster/reviewed/reviewed.go",
		old:  "case s.After != later.After:",
		new:  "case false:",
		test: "./pkg/internal/action/saved -run TestCompare",
	}, {
		promise: "s121", file: "pkg/cluster/reviewed/reviewed.go",
		old:  `!ok || entry["subresource"] != nil && entry["subresource"] != ""`,
		new:  "!ok",
		test: "./test/e2e -run TestScripts/^apply$/^saved_plan_refused$",
	}, {
		promise: "s121", file: "pkg/internal/action/deploy/saved.go",
		old:  "uid != p.ClusterUID",
		new:  "uid == \"\"",
		test: "./test/e2e -run TestScripts/^apply$/^saved_plan_refused$",
	}}
}

// ofSavedSecrets returns those of what is written to a disk, and the rest of those
// of plans.
func ofSavedSecrets() []protection {
	return []protection{{
		promise: "s122", file: "pkg/internal/action/deploy/secret.go",
		old:  "if o.IsSecret() {",
		new:  "if false {",
		test: "./test/e2e -run TestScripts/^apply$/^saved_plan_secrets$",
	}, {
		promise: "s122", file: "pkg/cluster/reviewed/reviewed.go",
		old:  "if o.IsSecret() {",
		new:  "if false {",
		test: "./pkg/cluster/reviewed -run TestSecret",
	}, {
		promise: "s121", file: "pkg/cluster/reviewed/reviewed.go",
		old:  `delete(entry, "time")`,
		new:  "",
		test: "./pkg/cluster/reviewed -run TestLive",
	}, {
		promise: "s122", file: "pkg/internal/action/saved/file.go",
		old:  "data, 0o600)",
		new:  "data, 0o644)",
		test: "./pkg/internal/action/saved -run TestFile",
	}, {
		promise: "s121", file: "pkg/internal/action/fleet/saved.go",
		old:  "return it.reviewed.Compare(r.changesIn(plan))",
		new:  "return nil",
		test: "./test/e2e -run TestScripts/^bundle$/^saved_plan$",
	}, {
		promise: "s121", file: "pkg/internal/action/fleet/saved.go",
		old:  "if l.reviewed == nil {",
		new:  "if true {",
		test: "./test/e2e -run TestScripts/^bundle$/^saved_plan$",
	}, {
		promise: "s122", file: "pkg/internal/action/fleet/saved.go",
		old:  "mask.Values(given)(text)",
		new:  "text",
		test: "./test/e2e -run TestScripts/^bundle$/^saved_plan_more$",
	}}
}
