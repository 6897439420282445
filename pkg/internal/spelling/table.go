// SPDX-License-Identifier: Apache-2.0

package spelling

import "slices"

// Table returns all that Timoni writes otherwise, in the order in which people
// read it.
func Table() []Spelling {
	return slices.Concat(verbs(), letters(), globals(), applying(), values(), modules(), artifacts(), variables())
}

func verbs() []Spelling {
	return []Spelling{
		{Theirs: "template NAME MODULE", Ours: "build NAME MODULE", words: []string{"template"}, means: []string{"build"}, Example: line("template app ./app")},
		{Theirs: "lint [MODULE]", Ours: "mod vet [MODULE]", words: []string{"lint"}, means: []string{"mod", "vet"}, Example: line("lint ./app")},
		{Theirs: "mod lint [MODULE]", Ours: "mod vet [MODULE]", words: []string{"mod", "lint"}, means: []string{"mod", "vet"}, Example: line("mod lint ./app")},
		{Theirs: "bundle lint", Ours: "bundle vet", words: []string{"bundle", "lint"}, means: []string{"bundle", "vet"}, Example: line("bundle lint -f bundle.cue")},
		{Theirs: "mod vendor crds", Ours: "mod vendor crd", words: []string{"mod", "vendor", "crds"}, means: []string{"mod", "vendor", "crd"}, Example: line("mod vendor crds -f crds.yaml")},
		{
			Theirs: "mod init NAME DIR", Ours: "mod init NAME DIR", Shown: true, Example: line("mod init app ."),
			Note: "the module is in DIR/NAME; a DIR that is called NAME already is the module's directory itself",
		},
	}
}

func letters() []Spelling {
	return []Spelling{
		{Theirs: "-v VERSION", Ours: "-v VERSION, --version VERSION", Shown: true, Example: line("apply app oci://registry.example.com/app -v 1.0.0")},
		{
			Theirs: "-v LEVEL", Ours: "", Note: "an error: there are no levels of verbosity, as kubectl has them",
			flags: []string{"v"}, value: oneValue, do: version,
		},
		{Theirs: "mod vendor k8s -v 1.28", Ours: "mod vendor k8s -v 1.28", Shown: true, Example: line("mod vendor k8s -v 1.28"), Note: "without -v, or with latest, the schemas are those in the binary"},
		{Theirs: "-d DIGEST", Ours: "-d DIGEST, --digest DIGEST", Shown: true, Example: line("build app oci://registry.example.com/app -d " + digest)},
		{Theirs: "mod init -b MODULE", Ours: "mod init -b MODULE, --blueprint MODULE", Shown: true, Example: line("mod init app -b oci://registry.example.com/web")},
		{
			Theirs: "registry login -p PASSWORD", Ours: "registry login --password-stdin", Shown: true, Example: line("registry login registry.example.com -u me -p secret"),
			Note: "-p works, with a warning: every user of the machine sees the command line",
		},
	}
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func globals() []Spelling {
	rows := []Spelling{}
	for _, f := range []struct{ name, value, example string }{
		{"context", " NAME", "c"},
		{"as", " USER", "u"},
		{"as-group", " GROUP", "g"},
		{"as-uid", " UID", "1"},
		{"token", " TOKEN", "t"},
		{"server", " URL", "https://127.0.0.1"},
		{"tls-server-name", " NAME", "n"},
		{"client-certificate", " FILE", "f"},
		{"client-key", " FILE", "f"},
		{"certificate-authority", " FILE", "f"},
		{"insecure-skip-tls-verify", "", ""},
	} {
		row := Spelling{Theirs: "--kube-" + f.name + f.value, Ours: "--" + f.name + f.value, flags: []string{"kube-" + f.name}, do: rename(f.name)}
		row.Example = line("status app --kube-" + f.name)
		if f.value != "" {
			row.value = oneValue
			row.Example = append(row.Example, f.example)
		}
		rows = append(rows, row)
	}
	return append(rows,
		Spelling{Theirs: "--registry-insecure", Ours: "--insecure-registry", flags: []string{"registry-insecure"}, do: rename("insecure-registry"), Example: line("mod list oci://registry.example.com/app --registry-insecure")},
		Spelling{
			Theirs: "--timeout TIME", Ours: "--timeout TIME", flags: []string{"timeout"}, value: oneValue, kept: true, do: timeout, Example: line("mod push ./app oci://registry.example.com/app -v 1.0.0 --timeout 1m"),
			Note: "with apply and delete how long to wait for one stage; with build and mod vet --render-timeout; elsewhere it bounds the whole command",
		},
		Spelling{
			Theirs: "--cache-dir DIR", Ours: "TIMONI_CACHE_DIR=DIR", flags: []string{"cache-dir"}, value: oneValue, on: reachingBoth(), do: noCacheDir,
			Note: "an error with apply, diff, rollback and bundle, where kubectl has a flag of this name: use the variable",
		},
		Spelling{Theirs: "--cache-dir DIR", Ours: "TIMONI_CACHE_DIR=DIR", Note: "the cache of modules; with list, status, inspect, history and delete it is kubectl's flag", flags: []string{"cache-dir"}, value: oneValue, kept: true, do: cacheDir, Example: line("build app ./app --cache-dir cache")},
		Spelling{Theirs: "--log-pretty, --log-color", Ours: "", flags: []string{"log-pretty", "log-color"}, do: drop, Example: line("build app ./app --log-pretty=false --log-color"), Note: "nothing: progress has colours on a terminal only, NO_COLOR turns them off"},
		Spelling{Theirs: "-n NAMESPACE, --kubeconfig FILE", Ours: "", flags: []string{"n", "namespace", "kubeconfig"}, value: oneValue, kept: true, do: drop, Example: line("-n apps --kubeconfig f mod list oci://registry.example.com/app"), Note: "taken by every verb, and ignored by those that ask no cluster"},
	)
}

// reachingBoth are the commands that reach a registry and a cluster.
func reachingBoth() []string {
	return append(planning(), "bundle build", "bundle vet", "bundle status", "bundle delete")
}

// planning are the commands that plan what is written to a cluster.
func planning() []string { return []string{"apply", "diff", "rollback", "bundle apply", "bundle diff"} }

func applying() []Spelling {
	return []Spelling{
		{
			Theirs: "--dry-run", Ours: "--dry-run=server", flags: []string{"dry-run"}, Also: true, value: maybeMode, on: []string{"apply", "rollback", "delete", "bundle apply", "bundle delete"}, do: dryRun, Example: line("apply app ./app --dry-run --diff"),
			Note: "--dry-run server, with a space, works too",
		},
		{
			Theirs: "--overwrite-ownership", Ours: "--adopt=all", flags: []string{"overwrite-ownership"}, on: planning(), do: expand("adopt", "all"), Example: line("apply app ./app --overwrite-ownership"),
			Note: "takes over from Helm, Flux and Argo CD too",
		},
		{Theirs: "delete NAME .", Ours: "delete NAME", on: []string{"delete"}, operand: ".", Example: line("delete app ."), Note: "delete takes several names; a dot is none"},
	}
}

func values() []Spelling {
	return []Spelling{
		{
			Theirs: "-f FILE,FILE", Ours: "-f FILE -f FILE", Shown: true, Example: line("build app ./app -f a.yaml,b.yaml"),
			Note: "a file whose name has the comma wins, and a URL is never split",
		},
		{
			Theirs: "bundle -r FILE", Ours: "bundle -r FILE, --runtime FILE", Shown: true, Example: line("bundle apply -f bundle.cue -r runtime.cue"),
			Note: "a runtime with several clusters is applied to one after the other, as there",
		},
		{
			Theirs: "bundle build --concurrency N", Ours: "", flags: []string{"concurrency"}, value: oneValue, on: []string{"bundle build"}, do: drop, Example: line("bundle build -f bundle.cue --concurrency 4"),
			Note: "nothing: as many instances are rendered at once as the memory allows",
		},
		{Theirs: "-f <(COMMAND)", Ours: "-f -", Shown: true, Example: line("build app ./app -f /dev/fd/63"), Note: "the format of a file without a known extension is that of its content"},
	}
}

func modules() []Spelling {
	cosign := []string{"mod push", "artifact push"}
	pull := []string{"mod pull", "artifact pull"}
	return []Spelling{
		{Theirs: "mod build MODULE -o FILE", Ours: "mod build MODULE FILE", flags: []string{"o", "output"}, Also: true, value: oneValue, on: []string{"mod build", "artifact build"}, do: outputFile, Example: line("mod build ./app -v 1.0.0 -o app.oci.tar"), Note: "-o json and -o yaml are formats of what is printed"},
		{
			Theirs: "--format oci-archive|oci-layout", Ours: "--layout archive|directory", flags: []string{"format"}, Also: true, value: oneValue, on: []string{"mod build", "artifact build"}, do: layoutOf, Example: line("mod build ./app -v 1.0.0 -o app --format oci-layout"),
		},
		{
			Theirs: "mod push --latest", Ours: "mod push", Shown: true, Example: line("mod push ./app oci://registry.example.com/app -v 1.0.0 --latest=true"),
			Note: "latest moves to the highest stable version only, whatever is pushed; --latest=false leaves it alone",
		},
		{Theirs: "push --sign=cosign --cosign-key FILE", Ours: "push --sign FILE", flags: []string{"cosign-key"}, value: oneValue, on: cosign, do: rename("sign"), Example: line("mod push ./app oci://registry.example.com/app -v 1.0.0 --sign=cosign --cosign-key=cosign.key"), Note: "this program signs, cosign need not be installed"},
		{Theirs: "push --sign=cosign", Ours: "artifact sign REFERENCE --sign-keyless", flags: []string{"sign"}, Also: true, value: oneValue, on: cosign, do: sign, Note: "an error without --cosign-key: signing without a key is a verb of its own, after the push"},
		{Theirs: "pull REFERENCE -o DIR", Ours: "pull REFERENCE DIR", flags: []string{"o", "output"}, Also: true, value: oneValue, on: pull, do: outputDir, Example: line("mod pull oci://registry.example.com/app -v 1.0.0 -o ./app"), Note: "-o json and -o yaml are formats of what is printed; a directory of that name is ./json"},
		{Theirs: "pull --verify=cosign --cosign-key FILE", Ours: "pull --key FILE", flags: []string{"cosign-key"}, value: oneValue, on: pull, do: rename("key"), Example: line("mod pull oci://registry.example.com/app -o ./app --verify=cosign --cosign-key=cosign.pub")},
		{
			Theirs: "pull --verify=cosign --certificate-…", Ours: "pull --certificate-… --trusted-root FILE", flags: []string{"verify"}, value: oneValue, on: pull, do: verify,
			Example: line("mod pull oci://registry.example.com/app -o ./app --verify=cosign --certificate-identity-regexp=x --certificate-oidc-issuer=https://issuer.example.com"),
			Note:    "the authorities to trust are in a file, that of --trusted-root or TIMONI_TRUSTED_ROOT: nothing is downloaded for a verification",
		},
		{Theirs: "--certificate-oidc-issuer-regex", Ours: "--certificate-oidc-issuer-regexp", flags: []string{"certificate-oidc-issuer-regex"}, value: oneValue, on: pull, do: rename("certificate-oidc-issuer-regexp"), Example: line("artifact pull oci://registry.example.com/app -o . --certificate-identity-regexp=x --certificate-oidc-issuer-regex=y")},
		{Theirs: "mod show config -o FILE", Ours: "mod show config --readme-file FILE", flags: []string{"o", "output"}, Also: true, value: oneValue, on: []string{"mod show config"}, do: configFile, Example: line("mod show config --output ./README.md"), Note: "-o cue, markdown, yaml and json-schema are formats of what is printed; a file of that name is ./yaml"},
		{Theirs: "mod vendor crd --file FILE", Ours: "mod vendor crd -f FILE", flags: []string{"file"}, value: oneValue, on: []string{"mod vendor crd"}, do: rename("filename"), Example: line("mod vendor crd --file crds.yaml")},
		{Theirs: "list --with-digest=false", Ours: "list --digests=false", flags: []string{"with-digest"}, on: []string{"mod list", "artifact list"}, do: rename("digests"), Example: line("mod list oci://registry.example.com/app --limit 0 --with-digest=false")},
	}
}

func artifacts() []Spelling {
	pack := []string{"artifact push", "artifact build"}
	return []Spelling{
		{Theirs: "artifact push --filepath PATH", Ours: "artifact push -f PATH", flags: []string{"filepath"}, value: oneValue, on: pack, do: rename("filename"), Example: line("artifact push oci://registry.example.com/app -t 1.0.0 --filepath ./app"), Note: "without it, the current directory"},
		{Theirs: "artifact push --path PATH", Ours: "artifact push -f PATH --format=flux", flags: []string{"path"}, value: oneValue, on: pack, do: fluxPath, Example: line("artifact push oci://registry.example.com/app:staging --path=- --source=https://git.example.com/app --revision=1.0.0"), Note: "the words of 'flux push artifact'"},
		{Theirs: "artifact push --source URL", Ours: "artifact push -a " + sourceKey + "=URL", flags: []string{"source"}, value: oneValue, on: pack, do: annotate(sourceKey), Example: line("artifact push oci://registry.example.com/app -f . --source=https://git.example.com/app")},
		{Theirs: "artifact push --revision REVISION", Ours: "artifact push -a " + revisionKey + "=REVISION", flags: []string{"revision"}, value: oneValue, on: pack, do: annotate(revisionKey), Example: line("artifact push oci://registry.example.com/app -f . --revision=main@sha1:0123")},
		{Theirs: "artifact tag REFERENCE -t TAG", Ours: "artifact tag REFERENCE TAG", flags: []string{"t", "tag"}, value: oneValue, on: []string{"artifact tag"}, do: operand, Example: line("artifact tag oci://registry.example.com/app:1.0.0 -t 1.0 -t latest")},
		{Theirs: "artifact list --filter-regex REGEX", Ours: "artifact list --filter-regex REGEX", Shown: true, Example: line("artifact list oci://registry.example.com/app --filter-regex ^1")},
		{Theirs: "artifact digest -o json", Ours: "artifact digest -o json", Shown: true, Example: line("artifact digest oci://registry.example.com/app -o json")},
		{Theirs: "artifact pull REFERENCE", Ours: "artifact pull REFERENCE .", Shown: true, Example: line("artifact pull oci://registry.example.com/app:latest"), Note: "refused unless the directory is empty; --overwrite replaces files"},
	}
}

func variables() []Spelling {
	return []Spelling{
		{Theirs: "TIMONI_CACHING=false", Ours: "TIMONI_CACHE_DIR=", Shown: true, Note: "both turn the cache off"},
		{Theirs: "TIMONI_CACHE_DIR=DIR", Ours: "TIMONI_CACHE_DIR=DIR", Shown: true},
		{Theirs: "TIMONI_KUBE_VERSION=VERSION", Ours: "TIMONI_KUBE_VERSION=VERSION, build --kube-version VERSION", Shown: true},
	}
}
