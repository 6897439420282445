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
	}}
}
