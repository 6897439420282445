// SPDX-License-Identifier: Apache-2.0

package main

// ofFields returns the protections about who writes which fields.
func ofFields() []protection {
	return []protection{{
		promise: "s60", file: "pkg/cluster/fieldset/contract.go",
		old: "if o.IsSecret() {\n\t\tencodeStringData(o)",
		new: "if false {\n\t\tencodeStringData(o)",
	}, {
		promise: "s60", file: "pkg/cluster/fieldset/move.go",
		old: `live.IsSecret() && !text.Empty()`,
		new: `false`,
	}, {
		promise: "s61", file: "pkg/cluster/fieldset/contract.go",
		old: "if c, ok := contractOf(o); ok {\n\t\tc.leave(",
		new: "if c, ok := contractOf(o); ok && false {\n\t\tc.leave(",
	}, {
		promise: "s62", file: "pkg/cluster/fieldset/move.go",
		old: `append(annotations.Copy(), field("kubectl.kubernetes.io/restartedAt"))`,
		new: `annotations`,
	}, {
		promise: "s63", file: "pkg/cluster/apply/compare.go",
		old: "if decided || err != nil {",
		new: "if decided && false || err != nil {",
	}, {
		promise: "s63", file: "pkg/cluster/fieldset/defaults.go",
		old: "prune(map[string]any(live.DeepCopy()), move.Fields, kept)",
		new: "without(map[string]any(live.DeepCopy()), move.Fields.Difference(kept))",
	}, {
		promise: "s64", file: "pkg/cluster/apply/defaults.go",
		old: "if defaults == nil && move.Entries == nil {",
		new: "if defaults == nil {",
	}, {
		promise: "s70", file: "pkg/cluster/kube/client.go",
		old:  "return got, withoutInternals(withoutSecret(o, err))",
		new:  "return got, err",
		test: "./pkg/cluster/apply -run TestSecretInRefusal",
	}, {
		promise: "s70", file: "pkg/internal/action/deploy/cluster.go",
		old:  "mask.Error(err, values.Mask(req.Values))",
		new:  "mask.Error(err, values.Mask(nil))",
		test: "./test/e2e -run TestScripts/apply/values_from$",
	}}
}
