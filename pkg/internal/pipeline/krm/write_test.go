// SPDX-License-Identifier: Apache-2.0

package krm_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// TestWriteOnce compares what is written of rendered objects with what kyaml
// writes of them once they are items.
func TestWriteOnce(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"text":                "plain",
		"empty":               "",
		"looks like another":  []any{"yes", "1", "1.0", "null", "2020-01-01", "~", "0x1", "1e3", "=", "<<"},
		"punctuation":         []any{": ", "a: b", "a #b", "- a", "{a}", "[a]", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "'a'", `"a"`, `\a`},
		"spaces":              []any{" a", "a ", "\ta", "a\t"},
		"lines":               []any{"a\nb", "a\nb\n", "a\n\nb\n", "a\nb\n\n", "\na\n", " a\nb", "a\n  b\n", "a \nb"},
		"a long line":         strings.Repeat("word and word ", 60),
		"a long line, quoted": strings.Repeat("word: and word ", 60),
		"unicode":             []any{"é", "日本: ", "\u200b", "\U0001f600 #", "\x01", "\x7f", "\u2028"},
		"numbers":             []any{int64(0), int64(-1), int64(math.MaxInt64), 1.5, 1e30, 1e-7, float64(1 << 60)},
		"other scalars":       []any{true, false, nil},
		"nested lists":        []any{[]any{[]any{"a"}, []any{}}, map[string]any{"a": []any{map[string]any{"b": nil}}}},
		"empty ones":          map[string]any{"map": map[string]any{}, "list": []any{}},
		"keys":                map[string]any{"yes": "a", "1": "b", "a b": "c", "a: b": "d", "": "e", "é": "f", "a/b.c-d": "g"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := func() []api.Object {
				return []api.Object{
					{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "annotations": map[string]any{}}, "data": value},
					{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "b", "annotations": map[string]any{"a": "b"}}, "data": value},
				}
			}
			text, nodes, err := krm.Lists(objects())
			if err != nil {
				t.Fatal(err)
			}
			// As kustomize reads it and writes it again: both spell some characters
			// and spaces before the end of a line in their own way.
			read, err := krm.Read(strings.NewReader(written(t, text)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(written(t, nodes), written(t, read)); diff != "" {
				t.Errorf("(-items +text):\n%s", diff)
			}
		})
	}
}

func written(t *testing.T, list *krm.List) string {
	t.Helper()
	var out bytes.Buffer
	if err := list.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
