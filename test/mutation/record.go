// SPDX-License-Identifier: Apache-2.0

package main

// ofRecord returns the protections of what is remembered of an instance.
func ofRecord() []protection {
	return []protection{{
		promise: "s40", file: "pkg/cluster/store/size.go",
		old:  `pending.Values, pending.Images, pending.Module.Annotations = "", nil, nil`,
		new:  `pending.Images, pending.Module.Annotations = nil, nil`,
		test: "./pkg/cluster/store -run TestLargeRevisions",
	}, {
		promise: "s40", file: "pkg/cluster/store/size.go",
		old:  "if n := size(&Record{Instance: want}); n > maxRecord-reserve {",
		new:  "if n := size(&Record{Instance: want}); n > maxRecord+maxRecord {",
		test: "./pkg/cluster/store -run TestSizeIsRefused",
	}, {
		promise: "s41", file: "pkg/cluster/store/format.go",
		old:  "n >= 1 && n <= highest {",
		new:  "n >= 1 || n <= highest {",
		test: "./pkg/cluster/store -run TestNewerFormat",
	}, {
		promise: "s41", file: "pkg/cluster/store/ledger.go",
		old:  "if err := Writable(nil, ledger); err != nil {\n\t\treturn err\n\t}\n\tif ledger.secret",
		new:  "if ledger.secret",
		test: "./pkg/cluster/store -run TestNewerFormat",
	}, {
		promise: "s82", file: "pkg/cluster/store/store.go",
		old: "return r.Pending != nil || r.isBegun() }",
		new: "return r.Pending != nil }",
	}, {
		promise: "s82", file: "pkg/cluster/store/store.go",
		old: "return !r.failed(r.Instance) && !r.isBegun() }",
		new: "return !r.failed(r.Instance) }",
	}, {
		promise: "s82", file: "pkg/cluster/store/store.go",
		old:  "text != r.Instance.LastTransitionTime && text != r.Wanted().LastTransitionTime {",
		new:  "text != \"\" {",
		test: "./pkg/cluster/store -run TestUnfinished",
	}}
}

// ofSharing returns the protections of what instances share.
func ofSharing() []protection {
	const (
		sharing = "./test/e2e -run TestScripts/apply/shared_crd$"
		few     = "./test/e2e -run TestScripts/apply/shared_crd_admin$"
	)
	return []protection{{
		promise: "s42", file: "pkg/cluster/apply/share.go",
		old:  "case err == nil && reflect.DeepEqual(got[\"spec\"], s.Live[\"spec\"]):",
		new:  "case err == nil:",
		test: sharing,
	}, {
		promise: "s42", file: "pkg/cluster/apply/share.go",
		old:  "case !s.noted && !ownership.SameModule(record.Instance.Module, req.Instance.Module):",
		new:  "case false:",
		test: sharing,
	}, {
		promise: "s42", file: "pkg/cluster/apply/share.go",
		old:  "return shared[entry.ID] != \"\"",
		new:  "return shared == nil",
		test: sharing,
	}, {
		promise: "s42", file: "pkg/cluster/internal/removal/dependents.go",
		old:  "if err := r.keepShared(ctx, m, items); err != nil {",
		new:  "if err := ctx.Err(); err != nil {",
		test: few,
	}, {
		promise: "s42", file: "pkg/cluster/internal/removal/remover.go",
		old:  "if err := r.keepSharedSince(ctx, items); err != nil {",
		new:  "if err := ctx.Err(); err != nil {",
		test: "./pkg/cluster/apply -run TestSharedSinceThePlan",
	}, {
		promise: "s43", file: "pkg/cluster/apply/run.go",
		old:  "plan, err := e.planChecked(ctx, first, exists)\n\tif err != nil {",
		new:  "plan, err := e.planChecked(ctx, first, exists)\n\tif err != nil && (exists || req.Review != nil) {",
		test: sharing,
	}}
}
