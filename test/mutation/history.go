// SPDX-License-Identifier: Apache-2.0

package main

// ofHistory returns the protections of what revisions keep.
func ofHistory() []protection {
	return []protection{{
		promise: "s140", file: "pkg/cluster/store/history.go",
		old:  `if ns := o.Namespace(); o.IsSecret() && `,
		new:  `if ns := o.Namespace(); false && `,
		test: "./pkg/cluster/apply -run TestHistoryKeepsNoForeignSecret",
	}, {
		promise: "s140", file: "pkg/cluster/store/rendering.go",
		old:  "case n <= left:",
		new:  "case true:",
		test: "./pkg/cluster/store -run TestFullLedgerDropsOldestRenderings",
	}, {
		promise: "s140", file: "pkg/cluster/apply/history.go",
		old:  `last.Objects == p.rendered`,
		new:  `true`,
		test: "./pkg/cluster/apply -run TestOtherObjectsAreARevision",
	}, {
		promise: "s141", file: "pkg/cluster/store/history.go",
		old:  "return l.With(last, k.Limit)",
		new:  "return l.History",
		test: "./pkg/cluster/apply -run TestHistoryFindsWhatIsMissing",
	}, {
		promise: "s141", file: "pkg/cluster/apply/undo.go",
		old:  `if req.After == "" || `,
		new:  `if true || `,
		test: "./pkg/cluster/apply -run TestBackAfterAnotherRun",
	}}
}
