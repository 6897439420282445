// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

func TestParseReference(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]values.Reference{
		"configmap/a:b":         {Kind: "ConfigMap", Name: "a", Key: "b"},
		"cm/a:values.yaml":      {Kind: "ConfigMap", Name: "a", Key: "values.yaml"},
		"Secret/a.b-c:d_e.json": {Kind: "Secret", Name: "a.b-c", Key: "d_e.json"},
	} {
		got, err := values.ParseReference(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ParseReference(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "secret", "secret/a", "secret/a:", "secret/:b", "pod/a:b", "secret/ns/a:b", "a:b"} {
		if _, err := values.ParseReference(text); fail.CodeOf(err) != fail.Usage {
			t.Errorf("ParseReference(%q): error %v", text, err)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	secret := values.Source{Name: "secret/a:b", Secret: true, Data: []byte(
		"user: root\nab: abc\nport: 31337\nlist: [{deep: geheim}]\nbanner: \"say \\\"hi\\\"\"\npem: |\n  BEGIN KEY\n  0123456789\n")}
	open := values.Source{Name: "file.yaml", Format: values.YAML, Data: []byte("word: plainly")}
	mask := values.Mask([]values.Source{open, secret})
	for text, want := range map[string]string{
		"the user root:geheim at port 31337": "the user ***:*** at port ***",
		`"say \"hi\"" conflicts`:             `"***" conflicts`,
		"Z2VoZWlt in base64":                 "*** in base64",
		"one line: 0123456789.":              "one line: ***.",
		`"BEGIN KEY\n0123456789\n"`:          `"***"`,
		"abc, abcd and plainly":              "***, abcd and plainly",
	} {
		if got := mask(text); got != want {
			t.Errorf("mask(%q) = %q, want %q", text, got, want)
		}
	}
	if text := "geheim"; values.Mask([]values.Source{open})(text) != text {
		t.Error("nothing is secret, and the text is masked")
	}
}

// A line of a secret that began further up is not quoted either.
func TestSecretBlock(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"block":  "tls:\n  key: |\n    BEGIN\n    user:geheim\n   geheim: [1\n",
		"map":    "passwords:\n  one: [geheim\n  two: geheim\n",
		"quoted": "password: \"geheim\n  geheim: x\n",
	} {
		_, err := values.Merge([]values.Source{{Name: "a.yaml", Format: values.YAML, Data: []byte(data)}})
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
