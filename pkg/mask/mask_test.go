// SPDX-License-Identifier: Apache-2.0

package mask_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

func TestValues(t *testing.T) {
	t.Parallel()
	hide := mask.Values(map[string]string{"geheim": mask.Hidden, "p": mask.Hidden, "say \"hi\"": "<GREETING>", "one line\nanother": mask.Hidden, "": "<EMPTY>", "\xe7\x8d": mask.Hidden})
	for text, want := range map[string]string{
		"user:geheim@host, Z2VoZWlt": "user:***@host, ***",
		"dial tcp: p, port":          "dial tcp: ***, port",
		"f.p:1 and x.p are places":   "f.p:1 and x.p are places",
		`"say \"hi\"" conflicts`:     `"<GREETING>" conflicts`,
		"only another":               "only ***",
		"GEHEIM, R0VIRUlN and P":     "***, *** and P",
	} {
		if got := hide(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestIsSecret(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"db.Password": true, "pasword": true, "passwort": true, "PassPhrase": true, "a.tokens[0]": true, "secretRef.name": true, "apiKey": true, "tls.sceret": false,
		"replicas": false, "message": false, "image.tag": false, "resources.requests": false, "service.port": false, "host": false,
	} {
		if got := mask.IsSecret(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"unknown anchor 's3cret' referenced":           "unknown anchor '***' referenced",
		"cannot unmarshal !!str `s3cret` into int":     "cannot unmarshal !!str `***` into int",
		`invalid character 'x' in "a \"b\" c" of JSON`: `invalid character 'x' in "***" of JSON`,
	} {
		if got := mask.Quoted(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	never := func(string) bool { return false }
	if got := mask.WordsOf(`invalid "a\ns3cret\u0041key" in line`, "line: a\ns3cret key", never); got != `invalid "a\n***\u0041***" *** ***` {
		t.Errorf("words of a text: %s", got)
	}
	if got := mask.Words(`  - "key": [s3cret, a-b_c, 'x y'] # no`); got != `  - "***": [***, ***, '*** ***'] *** ***` {
		t.Errorf("words: %s", got)
	}
}

func TestArgument(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"https://me:hunter2@example.com/a?token=hunter2#part": "https://***@example.com/a?…", "https://hunter2@example.com": "https://***@example.com",
		"https://example.com/a@1.0/b.yaml": "https://example.com/a@1.0/b.yaml", "https:/me:hunter2@example.com/a": "https:/***@example.com/a",
		"htps://me:hun/ter2@example.com/a": "htps://***@example.com/a", "https://me:hun%zter2@local/x": "https://***@local/x", "https:///a": "https:///a",
		"password=hunter2": "password=***", "db.token: hunter2": "db.token:***", "a=b": "a=b", `C:\values.yaml`: `C:\values.yaml`, "values.yaml": "values.yaml",
	} {
		if got := mask.Argument(arg); got != want {
			t.Errorf("%s is shown as %s, want %s", arg, got, want)
		}
	}
}

// TestForms holds that a value is hidden in each form in which a server, a
// parser or a log may repeat it, with any characters in it.
func TestForms(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		value := make([]rune, 8+random.IntN(12))
		for i := range value {
			value[i] = []rune("abcXYZ019!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é\t\u009b\u2028")[random.IntN(41)]
		}
		secret := "s3cr" + string(value) + "w0rd"
		inJSON, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		hide := mask.Values(map[string]string{secret: mask.Hidden})
		for _, form := range []string{
			secret, strconv.Quote(secret), strconv.QuoteToASCII(secret), string(inJSON), url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("me", secret).String(),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if got := hide("it is " + form + "."); strings.Contains(got, "w0rd") || len(got) > len("it is \"me:***\".") {
				t.Fatalf("%q is shown: %s", secret, got)
			}
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	data := func(pairs ...any) map[string]any {
		return map[string]any{"data": map[string]any{"same": "a", pairs[0].(string): pairs[1]}}
	}
	before, after := data("old", "x"), data("new", "y")
	before["data"].(map[string]any)["changed"], after["data"].(map[string]any)["changed"] = "1", "2"
	mask.Secret(before, after)
	want := [2]any{map[string]any{"same": "***", "old": "***", "changed": "*** (before)"}, map[string]any{"same": "***", "new": "***", "changed": "*** (after)"}}
	if diff := cmp.Diff(want, [2]any{before["data"], after["data"]}); diff != "" {
		t.Error(diff)
	}
	mask.Secret(nil, map[string]any{"stringData": "no map"}) // is survived

	const kept = "kubectl.kubernetes.io/last-applied-configuration"
	annotated := func(text string) map[string]any {
		return map[string]any{"metadata": map[string]any{"annotations": map[string]any{kept: text, "other": "x"}}}
	}
	before, after = annotated(`{"stringData":{"pw":"hunter2"}}`), annotated(`{"stringData":{"pw":"hunter3"}}`)
	gone := annotated("hunter4")
	mask.Secret(before, after)
	mask.Secret(gone, nil)
	if text := fmt.Sprint(before, after, gone); strings.Contains(text, "hunter") || !strings.Contains(text, kept) || !strings.Contains(text, "other:x") {
		t.Error(text)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain é שלום 👩‍👧": "plain é שלום 👩‍👧", "\x1b[31mred\x1b]0;t\a": `\u001b[31mred\u001b]0;t\u0007`, "a\r\nb\tc": "a\\r\nb\tc",
		"\u009b\u0085\x7f": `\u009b\u0085\u007f`, "\u202eab\u2066\u200f\u061c": `\u202eab\u2066\u200f\u061c`, "\u2028\u2029\ufeff": `\u2028\u2029\ufeff`,
		"\xff\x9b": `\xff\x9b`, "\U000E0041": `\U000e0041`,
	} {
		if got := mask.Lines(text); got != want {
			t.Errorf("%q becomes %s", text, got)
		}
	}
	if got := mask.Line("a\nb\t"); got != `a\nb\t` {
		t.Errorf("a line: %s", got)
	}
}

// FuzzTerminal holds of any text that what is left of it cannot control a
// terminal, that what is safe stays as it is, and that JSON keeps its value.
func FuzzTerminal(f *testing.F) {
	for _, seed := range []string{"a\nb", "\x1b[2J", "\u009b31m", "\u202e", "\xff", "\U0010ffff\ufffe", "e\u0301\u200d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, got := range []string{mask.Line(text), strings.ReplaceAll(mask.Lines(text), "\n", "")} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r != '\t' && controls(r) }) {
				t.Errorf("%q becomes %q", text, got)
			}
		}
		if mask.IsSafe(text) != (mask.Lines(text) == text) {
			t.Errorf("%q is safe: %v", text, mask.IsSafe(text))
		}
		before, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		after := mask.JSON(before)
		var want, got string
		if json.Unmarshal(before, &want) != nil || json.Unmarshal(after, &got) != nil || want != got {
			t.Errorf("%s becomes %s", before, after)
		}
		if strings.ContainsFunc(string(after), controls) {
			t.Errorf("%q in JSON: %s", text, after)
		}
	})
}

// controls reports whether a terminal may do something else with a character
// than show it, written down apart from what is tested.
func controls(r rune) bool {
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || r == 0x61c || r == 0x200e || r == 0x200f ||
		0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 || r == 0xfeff
}
