// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// What is not read is not checked: all of a stream is, or the stream is refused.
func TestReadItems(t *testing.T) {
	t.Parallel()
	const pod = `{apiVersion: v1, kind: Pod, metadata: {name: NAME}}`
	const json = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME"}}`
	named := func(text, name string) string { return strings.ReplaceAll(text, "NAME", name) }
	a, b, c := named(pod, "a"), named(pod, "b"), named(pod, "c")
	for name, test := range map[string]struct{ stream, want, refused string }{
		"documents":          {a + "\n---\n# none\n---\nnull\n--- # comment\n" + b + "\n...\n---\n" + c, "a b c", ""},
		"CRLF":               {a + "\r\n---\r\n" + b + "\r\n", "a b", ""},
		"after a separator":  {"--- " + a + "\n--- " + b, "a b", ""},
		"values in JSON":     {named(json, "a") + named(json, "b") + "\n" + named(json, "c"), "a b c", ""},
		"maps in one":        {a + "\n" + b, "", "did not find expected"},
		"after the end":      {"kind: A\n...\n" + b, "", "did not find expected"},
		"list":               {"kind: List\nitems: [" + a + ", " + b + "]\n", "a b", ""},
		"list among others":  {a + "\n---\nkind: List\nitems: [" + b + ", " + c + "]\n", "a b c", ""},
		"list of a kind":     {"kind: PodList\nitems: [" + a + "]\n", "a", ""},
		"lists in a list":    {"kind: List\nitems: [{kind: PodList, items: [" + a + "]}, " + b + "]\n", "a b", ""},
		"list by its anchor": {"x: &a " + a + "\nkind: List\nitems: [*a, " + b + "]\n", "a b", ""},
		"items by an anchor": {"x: &a [" + a + "]\nkind: List\nitems: *a\n", "a", ""},
		"list in itself":     {"kind: List\nitems: &a [{kind: List, items: *a}]\n", "", "contains itself"},
		"list of billions":   {bomb(), "", "aliases and merge keys stand for more than"},
		"list of nothing":    {"kind: List\nitems: [1]\n", "", "must be a map"},
		"other list":         {"kind: PriceList\nmetadata: {name: a}\nitems: {b: c}\n", "a", ""},
		"nothing":            {"\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, err := krm.ReadItems([]byte(test.stream))
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("error %v, want %q in it", err, test.refused)
				}
				return
			}
			var got []string
			for _, item := range items {
				got = append(got, item.GetName())
			}
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("%q, error %v, want %q", got, err, test.want)
			}
		})
	}
}

// bomb returns a list of lists of lists, each of which is in the next one twice.
func bomb() string {
	var text strings.Builder
	text.WriteString("kind: List\na0: &a0 {kind: List, items: [{kind: Pod}]}\n")
	for i := range 40 {
		fmt.Fprintf(&text, "a%d: &a%d {kind: List, items: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	return text.String() + "items: [*a40]\n"
}
