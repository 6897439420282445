// SPDX-License-Identifier: Apache-2.0

package main

// ofWaiting returns the protections of what is said while and after a run.
func ofWaiting() []protection {
	return []protection{{
		promise: "s130", file: "pkg/cluster/follow/line.go",
		old:  "hidden := hide(text)",
		new:  "hidden := text",
		test: "./pkg/cluster/follow -run TestShown",
	}, {
		promise: "s80", file: "pkg/cluster/ready/wait.go",
		old:  "case c := <-clues:\n\t\t\tr.learn(ctx, c, clues)\n",
		new:  "case <-clues:\n",
		test: "./pkg/cluster/apply -run TestReasonWhileWaiting/unschedulable",
	}, {
		promise: "s81", file: "pkg/cluster/ready/assess.go",
		old:  "case isUnavailable(live):",
		new:  "case false:",
		test: "./pkg/cluster/ready -run TestAssess",
	}, {
		promise: "s82", file: "pkg/cluster/apply/execute.go",
		old:  "e.Store.MarkFailed(ctx, record)",
		new:  "record, error(nil)",
		test: "./test/e2e -run TestScripts/.*/^safety_s06$",
	}, {
		promise: "s83", file: "pkg/cluster/apply/engine.go",
		old:  "!exists && req.ExistingNamespace {",
		new:  "false {",
		test: "./test/e2e -run TestScripts/.*/^namespace$",
	}, {
		promise: "s84", file: "pkg/cluster/kinds/kinds.go",
		old:  "size.Cmp(has) >= 0",
		new:  "size.Cmp(has) > -9",
		test: "./test/e2e -run TestScripts/.*/^hints$",
	}, {
		promise: "s95", file: "pkg/cluster/ready/verdict.go",
		old:  "if err := r.reach(ctx); err != nil {",
		new:  "if err := ctx.Err(); err != nil {",
		test: "./test/e2e -run TestServerGoesAway",
	}, {
		promise: "s95", file: "pkg/cluster/apply/execute.go",
		old:  "errors.Join(plan.unrecorded(e.recordSuccess(ctx, plan, record, changed)), ",
		new:  "errors.Join(e.recordSuccess(ctx, plan, record, changed), ",
		test: "./test/e2e -run TestServerGoesAway",
	}, {
		promise: "s95", file: "pkg/cli/cmd/instancecmd/list.go",
		old: "if err = l.printChanges(watching, client); kube.TimedOut(watching) {",
		new: "if err = l.printChanges(watching, client); err == nil {",
	}}
}
