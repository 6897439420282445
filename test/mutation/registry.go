// SPDX-License-Identifier: Apache-2.0

package main

// ofRegistry returns the protections against registries.
func ofRegistry() []protection {
	return []protection{{
		promise: "s30", file: "pkg/registry/session/network.go",
		old:  "return !n.public\n",
		new:  "return true\n",
		test: "./pkg/registry/oci -run TestPrivateAddresses|TestRebinding",
	}, {
		promise: "s31", file: "pkg/registry/session/guard.go",
		old:  "err := g.session.checkCredentials(req)",
		new:  "err := error(nil)",
		test: "./pkg/registry/oci -run TestTokenServer",
	}, {
		promise: "s32", file: "pkg/registry/session/guard.go",
		old:  "if redirects > maxRedirects {",
		new:  "if redirects > maxRedirects && req == nil {",
		test: "./pkg/registry/oci -run TestEndless/.*itself",
	}, {
		promise: "s32", file: "pkg/registry/session/guard.go",
		old:  "b.bound.left < 0 {",
		new:  "false {",
		test: "./pkg/registry/oci -run TestEndless/a_large_manifest",
	}, {
		promise: "s32", file: "pkg/registry/session/ask.go",
		old:  "if pages == maxPages || ",
		new:  "if ",
		test: "./pkg/registry/oci -run TestEndless/pages",
	}}
}

// ofContent returns the protections against what artifacts, caches and
// signatures hold.
func ofContent() []protection {
	return []protection{{
		promise: "s33", file: "pkg/registry/archive/extract.go",
		old:  `if git := GitPart(name); git != "" {`,
		new:  `if git := GitPart(name); false {`,
		test: "./pkg/registry/oci -run TestNoRepository",
	}, {
		promise: "s33", file: "pkg/internal/action/artifact/git.go",
		old:  `"GIT_DIR=" + shadow, `,
		new:  `"GIT_DIR=" + r.gitDir, `,
		test: "./pkg/internal/action/artifact -run TestHostileRepository",
	}, {
		promise: "s33", file: "pkg/internal/action/artifact/module.go",
		old:  "if err = checkLayers(image); err != nil {",
		new:  "if err = checkLayers(image); err != nil && image == nil {",
		test: "./pkg/internal/action/artifact -run TestPushArchive",
	}, {
		promise: "s34", file: "pkg/registry/cache/cachedir.go",
		old:  "cachedir.TempPrefix + `[0-9a-f]+$`",
		new:  "cachedir.TempPrefix",
		test: "./pkg/registry/oci -run TestPruneOwn",
	}, {
		promise: "s34", file: "pkg/internal/cachedir/cachedir.go",
		old:  "if isShared(info, true) {",
		new:  "if isShared(info, true) && len(subdirs) < 0 {",
		test: "./pkg/registry/oci -run TestSharedCache",
	}, {
		promise: "s34", file: "pkg/registry/oci/fetch.go",
		old:  "return manifest, digest, f.checkPointer(manifest, digest)",
		new:  "return manifest, digest, nil",
		test: "./pkg/registry/oci -run TestOfflinePointer",
	}, {
		promise: "s35", file: "pkg/registry/sign/trust/match.go",
		old:  "return !r.bound || ",
		new:  "return true || ",
		test: "./pkg/registry/sign/trust -run TestAccepts",
	}, {
		promise: "s35", file: "pkg/registry/source/trust.go",
		old:  "return c.Rule.Accepts(named, c.Repository)",
		new:  "return named != \"\" || c.Digest != \"\"",
		test: "./pkg/registry/source -run TestSignedAs",
	}}
}
