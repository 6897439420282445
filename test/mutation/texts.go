// SPDX-License-Identifier: Apache-2.0

package main

// ofTexts returns the protections of secrets in errors.
func ofTexts() []protection {
	return []protection{{
		promise: "s70", file: "pkg/module/values/quote.go",
		old:  "before, after = mask.Words(before), mask.Words(after)",
		new:  "_ = structure",
		test: "./pkg/module/values -run TestSecretNeverShown",
	}, {
		promise: "s70", file: "pkg/module/values/quote.go",
		old:  "before, after = x.hide(at, line, column)",
		new:  "_ = x.hide",
		test: "./pkg/module/values -run TestSecretNeverShown",
	}, {
		promise: "s70", file: "pkg/bundle/bundle.go",
		old:  "return nil, used.Hide(cuefile.Hide(req.Files, err))",
		new:  "return nil, used.Hide(err)",
		test: "./pkg/bundle -run TestSecretNeverShown",
	}, {
		promise: "s70", file: "pkg/mask/mask.go",
		old:  "url.QueryEscape(value), ",
		new:  "",
		test: "./pkg/mask -run TestForms",
	}, {
		promise: "s111", file: "pkg/module/values/problem.go",
		old:  "p.Path, p.Message, p.Rule, p.Advice = change(p.Path), ",
		new:  "p.Path, p.Message, p.Rule, p.Advice = p.Path, ",
		test: "./pkg/internal/action/fleet -run TestErrorsHideNames",
	}, {
		promise: "s111", file: "pkg/internal/action/fleet/fleet.go",
		old:  "return results, b.Hide(errors.Join(append(errs, checkShared(b.Selected, results))...))",
		new:  "return results, errors.Join(append(errs, checkShared(b.Selected, results))...)",
		test: "./pkg/internal/action/fleet -run TestErrorsHideNames",
	}, {
		promise: "s111", file: "pkg/internal/action/fleet/vet.go",
		old:  "b.Hide(checkShared(b.Selected, rendered))",
		new:  "checkShared(b.Selected, rendered)",
		test: "./pkg/internal/action/fleet -run TestErrorsHideNames",
	}, {
		promise: "s111", file: "pkg/module/values/mask.go",
		old:  "hideProblems(part, hide)",
		new:  "_ = part",
		test: "./pkg/module/values -run TestHideIn",
	}, {
		promise: "s111", file: "pkg/fail/fail.go",
		old:  "Advice{a.Code, e.HideHint(a.Hint)}",
		new:  "a",
		test: "./pkg/module/values -run TestHideIn",
	}}
}

// ofDocuments returns the protections of what is written to a terminal or in YAML.
func ofDocuments() []protection {
	return []protection{{
		promise: "s71", file: "pkg/mask/terminal.go",
		old:  "unicode.Cf, ",
		new:  "",
		test: "./pkg/cli/ui -run TestPrintersControlNoTerminal",
	}, {
		promise: "s71", file: "pkg/cli/ui/structured.go",
		old:  "mask.Line(cell)",
		new:  "mask.Lines(cell)[:0] + cell",
		test: "./pkg/cli/ui -run TestPrintersControlNoTerminal",
	}, {
		promise: "s72", file: "pkg/api/manifest.go",
		old:  "if len(text) > LongestKey {",
		new:  "if false {",
		test: "./pkg/api -run TestYAMLReaders",
	}, {
		promise: "s72", file: "pkg/cluster/kube/client.go",
		old:  "if hasLongKey(map[string]any(o)) {",
		new:  "if hasLongKey(nil) {",
		test: "./pkg/cluster/kube -run TestApplyBody",
	}, {
		promise: "s72", file: "pkg/cluster/kube/client.go",
		old:  "return mask.JSON(body), err",
		new:  "_ = mask.JSON\n\treturn body, err",
		test: "./pkg/cluster/kube -run TestApplyBody",
	}, {
		promise: "s73", file: "pkg/internal/document/document.go",
		old:  "if *sum += size; *sum > most {",
		new:  "if size > most {",
		test: "./pkg/module/values -run TestDocument -timeout 30s",
	}}
}
