// SPDX-License-Identifier: Apache-2.0

package main

// ofCrashes returns the protections against clusters that fail and runs that
// are suspended or killed.
func ofCrashes() []protection {
	return append(ofUnknown(), ofSuspended()...)
}

func ofUnknown() []protection {
	return []protection{{
		promise: "s90", file: "pkg/cluster/kube/client.go",
		old:  "		return c.Served(gvk)\n",
		new:  "		return Resource{}, c.explain(err)\n",
		test: "./pkg/cluster/apply -run TestKindOfGroupThatIsDown/cold",
	}, {
		promise: "s90", file: "pkg/cluster/internal/removal/dependents.go",
		old:  "if unknown != nil {\n\t\ts.KeepUnknown(unknown...)",
		new:  "if unknown != nil && s == nil {\n\t\ts.KeepUnknown(unknown...)",
		test: "./pkg/cluster/apply -run TestNamespaceOfGroupThatIsDown",
	}, {
		promise: "s90", file: "pkg/cluster/internal/survey/live.go",
		old:  "case kube.IsUnavailable(err) && markUnknown(items, err):",
		new:  "case kube.IsUnavailable(err) && len(items) > 0 && items[0].Recorded:",
		test: "./pkg/cluster/apply -run TestObjectsOfGroupThatIsDown/warm",
	}, {
		promise: "s90", file: "pkg/cluster/teardown/teardown.go",
		old:  "if err = survey.UnknownError(p.items); err != nil {",
		new:  "if err = survey.UnknownError(nil); err != nil {",
		test: "./pkg/cluster/apply -run TestObjectsOfGroupThatIsDown",
	}, {
		promise: "s90", file: "pkg/cluster/teardown/teardown.go",
		old:  "if errors.Is(err, store.ErrNotFound) {",
		new:  "if errors.Is(err, store.ErrNotFound) && ctx == nil {",
		test: "./pkg/cluster/apply -run TestDeleteTwiceAtOnce",
	}, {
		promise: "s93", file: "pkg/cluster/kube/endpoint.go",
		old:  `if kind := list.GetKind(); kind == "Status" || `,
		new:  `if kind := list.GetKind(); `,
		test: "./pkg/cluster/apply -run TestListThatIsNoList",
	}, {
		promise: "s93", file: "pkg/cluster/kube/endpoint.go",
		old:  "	return e.checkDeleted(result, name)\n",
		new:  "	return nil\n",
		test: "./pkg/cluster/apply -run TestAnswerThatIsNoObject",
	}}
}

func ofSuspended() []protection {
	return []protection{{
		promise: "s16", file: "pkg/cluster/apply/run.go",
		old:  "errors.AsType[*store.ChangedError](err); !isOld {",
		new:  "errors.AsType[*store.ChangedError](err); true || isOld {",
		test: "./pkg/cluster/apply -run TestRunBetweenPlanAndLock",
	}, {
		promise: "s16", file: "pkg/cluster/apply/run.go",
		old:  "return plan.record, e.Store.CheckCurrent(ctx, plan.record)",
		new:  "return plan.record, nil",
		test: "./pkg/cluster/apply -run TestRunBetweenPlanAndLock",
	}, {
		promise: "s82", file: "pkg/cluster/store/ledger.go",
		old:  "history[n-1].Outcome = Pending\n",
		new:  "",
		test: "./pkg/cluster/apply -run TestKilledAtTheEnd",
	}, {
		promise: "s91", file: "pkg/cluster/store/lock.go",
		old:  "age < 0 || age > leaseDuration/3",
		new:  "age > 24*time.Hour",
		test: "./pkg/cluster/store -run TestFence",
	}, {
		promise: "s91", file: "pkg/cluster/kube/fence.go",
		old:  "if fence == nil {",
		new:  "if true {",
		test: "./pkg/cluster/store -run TestFence",
	}, {
		promise: "s92", file: "pkg/cluster/internal/survey/orphan.go",
		old:  `!isAppliedBy(o, manager) || `,
		new:  `!isAppliedBy(o, manager) && false || `,
		test: "./pkg/cluster/apply -run TestOrphans",
	}, {
		promise: "s92", file: "pkg/cluster/internal/survey/orphan.go",
		old:  `ownership.Controller(o) != "" ||`,
		new:  `ownership.Controller(o) != "" && false ||`,
		test: "./pkg/cluster/apply -run TestOrphans",
	}, {
		promise: "s92", file: "pkg/cluster/apply/orphans.go",
		old:  "keys = append(keys, survey.KeysOf(p.record.Inventory())...)",
		new:  "",
		test: "./pkg/cluster/apply -run TestOrphanOfAbandonedKind",
	}, {
		promise: "s94", file: "pkg/cluster/internal/removal/order.go",
		old:  "	return last\n",
		new:  "	return 0\n",
		test: "./pkg/cluster/internal/removal -run TestDeleteOrder",
	}, {
		promise: "s94", file: "pkg/cluster/internal/removal/order.go",
		old:  "if takesAlong(s, other) {",
		new:  "if false {",
		test: "./pkg/cluster/internal/removal -run TestDeleteOrder",
	}}
}
