// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// planted stands in each text below where a secret may stand.
const planted = "s3cr3tW0rd"

// secretTexts returns sources in each format with a planted secret.
func secretTexts() map[string]values.Source {
	texts := map[string]values.Source{}
	for name, text := range map[string]string{
		"scalar.yaml":  "replicas: x\npassword: PLANTED\nnote: [1, 2]\n",
		"quoted.yaml":  "password: \"PLANTED\" # a comment\nreplicas: x\n",
		"flow.yaml":    "db: {user: me, password: PLANTED, port: x}\nreplicas: 1\n",
		"list.yaml":    "tokens:\n  - PLANTED\n  - 'PLANTED'\nreplicas: x\n",
		"block.yaml":   "key: |\n  BEGIN\n  PLANTED\n  END\nreplicas: x\n",
		"own.yaml":     "password:\n  PLANTED\nreplicas: 1\n",
		"wrong.yaml":   "replicas: 1\npassword: [PLANTED]\n",
		"anchor.yaml":  "password: &a PLANTED\ntokens: [*a]\nreplicas: x\n",
		"line.json":    `{"replicas": "x", "password": "PLANTED", "tokens": ["PLANTED"]}`,
		"pretty.json":  "{\n  \"tokens\": [\n    \"PLANTED\"\n  ],\n  \"replicas\": \"x\"\n}\n",
		"wrong.json":   `{"password": {"x": "PLANTED"}, "key": ["PLANTED"]}`,
		"struct.cue":   "values: {\n\treplicas: \"x\"\n\tpassword: \"PLANTED\"\n}\n",
		"chain.cue":    "values: db: password: \"PLANTED\", values: replicas: \"x\"\n",
		"hidden.cue":   "_password: \"PLANTED\"\nvalues: {password: _password, replicas: \"x\"}\n",
		"multi.cue":    "values: key: \"\"\"\n\tBEGIN\n\tPLANTED\n\t\"\"\"\nvalues: tokens: [\"PLANTED\"]\n",
		"conflict.cue": "values: {password: \"PLANTED\" & int, replicas: 1}\n",
	} {
		texts[name] = values.Source{Name: name, Data: []byte(strings.ReplaceAll(text, "PLANTED", planted)), Format: values.Format(name[strings.IndexByte(name, '.')+1:])}
	}
	return texts
}

const damages = "\"'`{}[]():,;*&!|>%@#=?-+ \t\n\\\x00\x1b\u00e9<$~_a0."

// damaged returns a text with each single character taken out, and with others
// before it and in its place: with all, or one that differs from place to place.
func damaged(text string, all bool) []string {
	found := []string{text}
	for i := range len(text) {
		found = append(found, text[:i]+text[i+1:])
		for n, c := range []rune(damages) {
			if all || n == (7*i)%len(damages) {
				found = append(found, text[:i]+string(c)+text[i:], text[:i]+string(c)+text[i+1:])
			}
		}
	}
	return found
}

const secretModule = `values: {
	replicas: int
	password: *"" | string
	key:      *"" | string
	tokens: [...string]
	note: [...int]
	db: {user: *"" | string, password: *"" | string, port: *1 | int}
}
`

// TestSecretNeverShown plants a secret in sources of every format, damages
// them by one character in every place, and evaluates them: no error shows it.
func TestSecretNeverShown(t *testing.T) {
	t.Parallel()
	all := os.Getenv("TIMONI_TEST_ALL") != "" // minutes
	texts := secretTexts()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := 0
			for _, text := range damaged(string(texts[name].Data), all) {
				src := texts[name]
				src.Data = []byte(text)
				checkHidden(t, text, evaluateSecret(src))
				src.Name, src.Format = values.StdinName, values.Detect
				err := evaluateSecret(src)
				checkHidden(t, text, err)
				if err != nil {
					failed++
				}
			}
			if failed == 0 {
				t.Error("no damage gives an error")
			}
		})
	}
}

func TestSecretFlagNeverShown(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{
		"--set password=" + planted, "--set-string db.password=" + planted, "--set tokens=" + planted,
		`--set-json password="` + planted + `"`, `--set-json db={"password":"` + planted + `","port":"x"}`, `--set-json tokens=["` + planted + `"]`,
	} {
		flag, text, _ := strings.Cut(arg, " ")
		for _, text := range damaged(text, true) {
			src, err := form(flag).Source(t.Context(), flag, text)
			if err == nil {
				err = evaluateSecret(src)
			}
			if !strings.Contains(text[:max(0, strings.IndexByte(text, '='))], planted) { // else it is a name
				checkHidden(t, text, err)
			}
		}
	}
}

func evaluateSecret(src values.Source) error {
	tree, err := values.Merge([]values.Source{src})
	if err != nil {
		return err
	}
	if _, err = overlay(tree, map[string]string{"values.cue": secretModule}); err == nil {
		return nil
	}
	return tree.Explain(err, values.Module{Text: func(string) []byte { return []byte(secretModule) }})
}

func checkHidden(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, shown := range append(fail.HintsOf(err), err.Error()) {
		if strings.Contains(shown, planted) {
			t.Errorf("%q:\n%s", text, shown)
		}
	}
	if e, ok := errors.AsType[*values.Error](err); ok {
		for _, p := range e.Problems {
			if strings.Contains(p.String(), planted) {
				t.Errorf("%q: the problem shows it:\n%s", text, p)
			}
		}
	}
}
