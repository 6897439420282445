// SPDX-License-Identifier: Apache-2.0

package main

// ofBundles returns the protections of which instances are those of a bundle.
func ofBundles() []protection {
	return []protection{{
		promise: "s08", file: "pkg/cluster/store/bundle.go",
		old: "if record == nil || record.Bundle() == wanted {",
		new: "if true || record.Bundle() == wanted {",
	}, {
		promise: "s08", file: "pkg/internal/action/fleet/named.go",
		old: "if len(bundles) > 1 && err == nil {",
		new: "if false {",
	}, {
		promise: "s08", file: "pkg/internal/action/fleet/left.go",
		old: "case slices.ContainsFunc(r.Namespaces(), func(ns string) bool { return slices.Contains(home, ns) }):",
		new: "case len(home) > 0:",
	}, {
		promise: "s08", file: "pkg/internal/action/fleet/delete.go",
		old: "if m.record != nil && m.record.Bundle() != name {",
		new: "if false {",
	}, {
		promise: "s11", file: "pkg/internal/action/fleet/left.go",
		old: "case slices.ContainsFunc(r.Namespaces(), func(ns string) bool { return slices.Contains(home, ns) }):",
		new: "case slices.Contains(home, ns):",
	}, {
		promise: "s11", file: "pkg/internal/action/fleet/left.go",
		old: "gone := slices.DeleteFunc(slices.Clone(c.own), func(r *store.Record) bool { return b.has(r.Instance.Metadata) })",
		new: "gone := []*store.Record(nil)",
	}, {
		promise: "s11", file: "pkg/internal/action/fleet/left.go",
		old: "if len(c.own) > 0 || len(c.others) == 0 {",
		new: "if true {",
	}, {
		promise: "s23", file: "pkg/internal/action/fleet/left.go",
		old:  "if !apierrors.IsForbidden(err) {",
		new:  "if true || apierrors.IsForbidden(err) {",
		test: "./pkg/internal/action/fleet -run TestNamespaceAdmin",
	}, {
		promise: "s17", file: "pkg/internal/action/fleet/left.go",
		old:  "if !l.goes {",
		new:  "if len(l.objects) == 0 {",
		test: "./pkg/internal/action/fleet -run TestKilledAtEveryRequest/an_instance_leaves$",
	}}
}

// ofBundlePlans returns the protections of what is planned and carried out for
// the instances of a bundle.
func ofBundlePlans() []protection {
	return []protection{{
		promise: "s100", file: "pkg/internal/action/fleet/shared.go",
		old:  "case first.name != u.name && !first.shares(u):",
		new:  "case false:",
		test: "./pkg/internal/action/fleet -run TestSharedObject",
	}, {
		promise: "s100", file: "pkg/internal/action/fleet/shared.go",
		old:  "case first.name != u.name && !first.shares(u):",
		new:  "case false:",
		test: "./test/e2e -run TestScripts/.*/^shared$",
	}, {
		promise: "s101", file: "pkg/cluster/apply/step.go",
		old:  "if c.Action != event.Deferred {",
		new:  "if false {",
		test: "./pkg/internal/action/fleet -run TestApplyPlansAStalePlanAgain",
	}, {
		promise: "s101", file: "pkg/internal/action/fleet/apply.go",
		old:  "	return r.show(ctx, r.changesOf(it.plan.All()))\n",
		new:  "	return nil\n",
		test: "./pkg/internal/action/fleet -run TestApplyPlansAStalePlanAgain",
	}, {
		promise: "s101", file: "pkg/cluster/earlier/earlier.go",
		old:  "if j.covers(r) {",
		new:  "if false {",
		test: "./pkg/internal/action/fleet -run TestApplyDefersToEarlierInstances",
	}}
}
