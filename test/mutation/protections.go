// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// protection is what keeps a promise of docs/safety.md, and how to remove it.
type protection struct {
	promise string
	file    string
	old     string // the protection, once in the file
	new     string // what stands there without it
	test    string // PACKAGE -run PATTERN; empty for the promise's script
}

func protections() []protection {
	return slices.Concat(ofEngine(), ofOthers(), ofRegistry(), ofContent(), ofRendering(), ofLinks(), ofRecord(), ofSharing(), ofFields(), ofTexts(), ofDocuments(), ofWaiting(), ofPlan(), ofReviews(), ofSavedSecrets(), ofCrashes(), ofBundles(), ofBundlePlans(), ofResults(), ofHistory(), ofPolicies())
}

// ofEngine returns the protections in package apply.
func ofEngine() []protection {
	return []protection{{
		promise: "s01", file: "pkg/cluster/kinds/kinds.go",
		old: `Namespaced: spec["scope"] != "Cluster",`,
		new: `Namespaced: true,`,
	}, {
		promise: "s02", file: "pkg/cluster/apply/execute.go",
		old: "if err != nil && (req.Prune != PruneAlways || !plan.allApplied) {",
		new: "if false {",
	}, {
		promise: "s03", file: "pkg/api/object.go",
		old: `return o.IsNamespace() || `,
		new: `return `,
	}, {
		promise: "s04", file: "pkg/cluster/apply/plan.go",
		old: "s.Action = event.Created\n\tif req.ReadOnly {",
		new: "s.Action = event.Created\n\tif true {",
	}, {
		promise: "s06", file: "pkg/cluster/apply/execute.go",
		old: "return kube.Join(plan.partial(kube.OneUnreachable(err)), e.recordFailure(late, plan, record, changed))",
		new: "_ = late\n\t\treturn err",
	}, {
		promise: "s07", file: "pkg/cluster/apply/owner.go",
		old: "if ownership.Is(live, m) || ",
		new: "if true || ownership.Is(live, m) || ",
	}, {
		promise: "s10", file: "pkg/api/object.go",
		old: `o.IsClaim() || `,
		new: ``,
	}, {
		promise: "s12", file: "pkg/cluster/ready/assess.go",
		old: "const statusGrace = 30 * time.Second",
		new: "const statusGrace = 0 * time.Second",
	}, {
		promise: "s15", file: "pkg/cluster/apply/compare.go",
		old: "if err != nil {\n\t\treturn s.recordVerdict(invalid)",
		new: "if false {\n\t\treturn s.recordVerdict(invalid)",
	}, {
		promise: "s16", file: "pkg/cluster/store/lock.go",
		old: "waiting := func(owner string) {",
		new: "if patience >= 0 {\n\t\treturn do(ctx, false)\n\t}\n\twaiting := func(owner string) {",
	}, {
		promise: "s23", file: "pkg/cluster/apply/engine.go",
		old:  "case apierrors.IsForbidden(err):\n\t\treturn true, nil\n",
		new:  "",
		test: "./pkg/cluster/apply -run TestFewRights",
	}, {
		promise: "s23", file: "pkg/cluster/apply/prepare.go",
		old: "if isBinding && changes(foundations[role]) {",
		new: "if isBinding && role.Name == \"\" {",
	}, {
		promise: "s24", file: "pkg/cluster/fieldset/manager.go",
		old: `if e.subresource() == "scale" && `,
		new: `if false && `,
	}, {
		promise: "s17", file: "pkg/cluster/internal/survey/recorded.go",
		old:  "range record.Inventory()",
		new:  "range record.Instance.Inventory.Entries",
		test: "./pkg/cluster/apply -run TestKilledAtEveryRequest",
	}}
}

// ofOthers returns those elsewhere.
func ofOthers() []protection {
	return []protection{{
		promise: "s05", file: "pkg/registry/source/source.go",
		old: "return &Module{Dir: r.Dir, Repository",
		new: "_, _ = os.MkdirTemp(\"\", \"values-\")\n\treturn &Module{Dir: r.Dir, Repository",
	}, {
		promise: "s09", file: "pkg/module/values/tree.go",
		old:  "*n = node{kind: unset, label: n.label, replace: true}",
		new:  "*n = node{kind: leaf, label: n.label, value: expr, replace: true}",
		test: "./test/e2e -run TestScripts/build/safety_s09",
	}, {
		promise: "s13", file: "pkg/cluster/store/store.go",
		old: "bad = append(bad, err)\n\t\t\tcontinue",
		new: "return nil, err",
	}, {
		promise: "s14", file: "pkg/module/render/module.go",
		old: `\+?(?:\.(\d+))?(?:[-+.].*)?$`,
		new: `(?:\.(\d+))?$`,
	}, {
		promise: "s18", file: "pkg/cli/main.go",
		old: "signal.Notify(signals, os.Interrupt, syscall.SIGTERM)",
		new: "signal.Ignore(os.Interrupt, syscall.SIGTERM)",
	}, {
		promise: "s19", file: "pkg/cluster/store/store.go",
		old: "if apierrors.IsNotFound(err) {\n\t\treturn nil, fmt.Errorf(\"instance %q",
		new: "if err != nil {\n\t\treturn nil, fmt.Errorf(\"instance %q",
	}, {
		promise: "s20", file: "pkg/cli/option/kubeflag/flags.go",
		old: "return ns, nil\n",
		new: "_ = ns\n\treturn \"default\", nil\n",
	}, {
		promise: "s22", file: "pkg/cluster/store/size.go",
		old: "if prev.Pending != nil {\n",
		new: "if false {\n",
	}}
}
