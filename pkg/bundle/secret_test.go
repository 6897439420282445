// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
)

// TestSecretNeverShown plants a secret in bundles and runtimes of each format,
// damages them by one character in every place, and reads them: no error, and
// no hint, shows it.
func TestSecretNeverShown(t *testing.T) {
	t.Parallel()
	const planted = "s3cr3tW0rd"
	for name, text := range map[string]string{
		"values.cue":  "bundle: {\n\tapiVersion: \"v1alpha1\"\n\tname: \"b\"\n\tinstances: a: {module: url: \"oci://x.example/y\", namespace: \"n\", values: {password: \"PLANTED\", token: 1 & \"PLANTED\"}}\n}\n",
		"hidden.cue":  "_token: \"PLANTED\"\nbundle: {apiVersion: \"v1alpha1\", name: \"b\", instances: a: {module: url: 1, namespace: _token, values: key: _token}}\n",
		"url.cue":     "bundle: {apiVersion: \"v1alpha1\", name: \"b\", instances: a: {module: url: \"oci://me:PLANTED@x.example/y\", namespace: \"n\"}}\n",
		"values.yaml": "bundle:\n  apiVersion: v1alpha1\n  name: b\n  instances:\n    a:\n      module: {url: oci://x.example/y}\n      namespace: [x]\n      values:\n        password: PLANTED\n        tokens: ['PLANTED', \"PLANTED\"]\n",
		"values.json": `{"bundle": {"apiVersion": "x", "name": "b", "instances": {"a": {"module": {"url": "oci://x.example/y"}, "namespace": "n", "values": {"secret": "PLANTED", "key": ["PLANTED"]}}}}}`,
		"runtime.cue": "runtime: {\n\tapiVersion: \"v1alpha1\"\n\tname: \"r\"\n\tpassword: \"PLANTED\"\n\tvalues: [{query: \"k8s:v1:Secret:default:x\", for: {PASSWORD: \"PLANTED\" & 1}}]\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(text, "PLANTED", planted)
			failed := 0
			for _, damaged := range damages(text) {
				files := []cuefile.File{{Name: name, Format: cuefile.FormatOf(name), Data: []byte(damaged)}}
				var err error
				if strings.HasPrefix(name, "runtime") {
					_, err = bundle.ReadDefinition(files)
				} else {
					_, err = bundle.Read(bundle.Request{Files: files})
				}
				if err == nil {
					continue
				}
				failed++
				for _, shown := range append(fail.HintsOf(fail.Advise(err, moduleadvice.For)), err.Error()) {
					if strings.Contains(shown, planted) {
						t.Errorf("%s\n%s", damaged, shown)
					}
				}
			}
			if failed == 0 {
				t.Error("no damage gives an error")
			}
		})
	}
}

// damages returns a text, and with each single character taken out, doubled by
// another one, or replaced by it.
func damages(text string) []string {
	const odd = "\"'`{}[]():,;*&!|>%@#=?- \n\\\x00<$a0."
	found := []string{text}
	for i := range len(text) {
		c := string(odd[(7*i)%len(odd)])
		found = append(found, text[:i]+text[i+1:], text[:i]+c+text[i:], text[:i]+c+text[i+1:])
	}
	return found
}
