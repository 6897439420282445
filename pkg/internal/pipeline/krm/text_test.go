// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// TestItemsPass holds that a Vet passes on the objects that it was given, in
// their own text where the list has the form in which kustomize writes one,
// whatever an object says.
func TestItemsPass(t *testing.T) {
	t.Parallel()
	const (
		head   = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
		config = "functionConfig:\n  apiVersion: krm.timoni.sh/v1alpha1\n  kind: Vet\n  metadata: {name: v}\n  spec: {schema: {inline: '#A: data?: a?: !=\"bad\"'}, rules: [{definition: '#A', severity: warning}]}\n"
		object = "- apiVersion: v1 # of this version\n  kind: ConfigMap\n  metadata: {name: a}\n  data: "
	)
	for name, test := range map[string]struct {
		list  string
		inOwn bool // text
	}{
		"one object":                {head + "items:\n" + object + "{a: 'b'}\n" + config, true},
		"two objects, one is wrong": {head + "items:\n" + object + "{a: b}\n" + object + "{a: bad}\n" + config, true},
		"a text of many lines":      {head + "items:\n" + object + "\n    a: |\n      items:\n\n      functionConfig:\n" + config, true},
		"the config comes first":    {head + config + "items:\n" + object + "{a: b}\n", false},
		"indented objects":          {head + "items:\n  " + strings.ReplaceAll(object, "\n", "\n  ") + "{a: b}\n" + config, false},
		"in one line":               {head + "items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]\n" + config, false},
		"a text that is no config":  {head + "items:\n" + object + "{a: 'x\nfunctionConfig: y'}\n" + config, false},
		"a text that is no object":  {head + "items:\n" + object + "{a: 'x\n- y'}\n" + config, false},
		"a text that is no list":    {head + "items:\n" + object + "{a: 'x\nitems:\n'}\n" + config, false},
		"a text like results":       {head + "items:\n" + object + "{a: 'x\nresults: y'}\n" + config, false},
		"another end of lines":      {strings.ReplaceAll(head+"items:\n"+object+"{a: b}\n"+config, "\n", "\r\n"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := krm.Read(strings.NewReader(test.list))
			if err != nil {
				t.Fatal(err)
			}
			if err = (krm.Function{Dir: t.TempDir()}).Run(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err = list.Write(&out); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(itemsOf(t, test.list), itemsOf(t, out.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			_, items, _ := strings.Cut(test.list, "\nitems:\n")
			items, _, _ = strings.Cut(items, "\nfunctionConfig:\n  ")
			if got := strings.Contains(out.String(), "\nitems:\n"+items+"\n"); got != test.inOwn {
				t.Errorf("in their own text: %t\n%s", got, out.String())
			}
		})
	}
}

func itemsOf(t *testing.T, list string) []any {
	t.Helper()
	var parsed struct{ Items []any }
	if err := yaml.Unmarshal([]byte(list), &parsed); err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	return parsed.Items
}
