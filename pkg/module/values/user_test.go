// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

func yamlOf(text string) values.Source {
	return values.Source{Name: "v.yaml", Format: values.YAML, Data: []byte(text)}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		earlier, now string
		want         []string
	}{
		"the same":           {"a: 1\nb: {c: 2}", "a: 3\nb: {c: 4}", nil},
		"nothing given":      {"a: 1\nb: {c: 2, \"d.e\": x}", "", []string{"a", `b."d.e"`, "b.c"}},
		"one of a map":       {"b: {c: 2, d: 1}", "b: {c: 2}", []string{"b.d"}},
		"taken away":         {"a: 1\nb: {c: 2}", "a: null\nb: null", nil},
		"was taken away":     {"a: null", "", nil},
		"a map now":          {"a: 1", "a: {b: 1}", nil},
		"a scalar now":       {"a: {b: 1}", "a: 1", nil},
		"lists are one":      {"a: [1, 2]", "a: []", nil},
		"a list is no more":  {"a: [1, 2]", "b: 1", []string{"a"}},
		"an empty map, once": {"a: {}", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := values.UserText([]values.Source{yamlOf(tc.earlier)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := values.Dropped([]values.Source{values.Recorded("revision 1", text)}, []values.Source{yamlOf(tc.now)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("of %s (-want +got)\n%s", text, diff)
			}
		})
	}
}

// TestUserText holds that what sources say together is the same after it was
// recorded, also what they take away, and that secrets stay marked.
func TestUserText(t *testing.T) {
	t.Parallel()
	sources := []values.Source{
		yamlOf("a: 1\nb: {c: 2, values: 3}\nn: null\nlist: [x, {y: 1.5}]\ntext: |\n  two\n  lines\n"),
		{Name: "v.cue", Format: values.CUE, Data: []byte("values: {a: 2, b: d: \"x\", n2: null, e: {}}")},
		{Name: "secret", Format: values.JSON, Data: []byte(`{"password": "hunter2hunter2"}`), Secret: true},
	}
	text, err := values.UserText(sources)
	if err != nil {
		t.Fatal(err)
	}
	hidden := values.SecretTexts(sources)
	again := []values.Source{values.Recorded("revision 1", text, hidden...)}
	second, err := values.UserText(again)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if diff := cmp.Diff(text, second); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	if got := values.MaskSecret(again)("is hunter2hunter2 a 2"); got != values.MaskSecret(sources)("is hunter2hunter2 a 2") || got == "is hunter2hunter2 a 2" {
		t.Errorf("shown as %q", got)
	}
	alone, err := values.UserText([]values.Source{yamlOf("values: {values: {a: 1}}")})
	if err != nil {
		t.Fatal(err)
	}
	if second, err = values.UserText([]values.Source{values.Recorded("revision 1", alone)}); err != nil || second != alone {
		t.Errorf("%s became %s, error %v", alone, second, err)
	}
}
