// SPDX-License-Identifier: Apache-2.0

package main

// ofPlan returns the protections that make a plan the truth.
func ofPlan() []protection {
	return []protection{{
		promise: "s25", file: "pkg/cluster/apply/plan.go",
		old: "got, err := e.Client.ApplyNew(ctx, s.Resource, s.Object, kube.DryRun)",
		new: "got, err := e.Client.Create(ctx, s.Resource, s.Object, kube.DryRun)",
	}, {
		promise: "s25", file: "pkg/cluster/kube/refusal.go",
		old: `return strings.HasPrefix(message, "failed to create typed patch object")`,
		new: `return false`,
	}, {
		promise: "s26", file: "pkg/cluster/apply/plan.go",
		old: "return e.decideMoved(ctx, req, s, got, move)",
		new: "s.Action = event.Configured",
	}, {
		promise: "s26", file: "pkg/cluster/apply/execute.go",
		old:  "return got, s.asPlanned(got)",
		new:  "return got, nil",
		test: "./pkg/cluster/apply -run TestDeviation",
	}, {
		promise: "s27", file: "pkg/cluster/kube/create.go",
		old:  `metadata["resourceVersion"] = versionOfNone`,
		new:  `_ = metadata`,
		test: "./pkg/cluster/apply -run TestStrangerBetweenPlanAndWrite",
	}, {
		promise: "s27", file: "pkg/cluster/kube/create.go",
		old:  "case err != nil || status == http.StatusCreated:",
		new:  "case err != nil || status != 0:",
		test: "./pkg/cluster/apply -run TestServerThatIgnoresTheVersion",
	}, {
		promise: "s26", file: "pkg/cluster/apply/access.go",
		old:  "rights(&s.Item, s.takesBack(), ",
		new:  "rights(&s.Item, false, ",
		test: "./test/e2e -run TestScripts/.*/^access$",
	}, {
		promise: "s15", file: "pkg/cluster/apply/replace.go",
		old:  `kinds.WithClaims("it is to be replaced", s.Object, s.Live)`,
		new:  `"it is to be replaced"`,
		test: "./test/e2e -run TestScripts/.*/^recreate$",
	}, {
		promise: "s15", file: "pkg/cluster/apply/compare.go",
		old:  "return s.recordVerdict(&ImmutableError{Object: s.Ref(), Protected: s.Object.IsProtected(), Err: invalid})",
		new:  "return s.recordVerdict(invalid)",
		test: "./test/e2e -run TestScripts/.*/^recreate$",
	}, {
		promise: "s80", file: "pkg/cli/advice/clusteradvice/advice.go",
		old:  `if e.Object.Group == "batch" && e.Object.Kind == "Job" {`,
		new:  `if e.Object.Group == "" {`,
		test: "./test/e2e -run TestScripts/.*/^recreate$",
	}}
}
