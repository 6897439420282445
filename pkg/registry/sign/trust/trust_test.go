// SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

const sample = `# who signs what
rules:
- match: registry.example.com/modules/**
  keys: [team.pub, /etc/keys/old.pub]
- match: ghcr.io/org/*
  identities:
  - issuer: https://token.actions.githubusercontent.com
    subjectRegExp: https://github.com/org/.*
  trustedRoot: roots/trusted_root.json
- {match: "localhost:5000/**", allow: unsigned}
`

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := fixture.Write(t, filepath.Join(dir, "policy.yaml"), sample)
	got, err := trust.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &trust.Policy{Rules: []trust.Rule{
		{Match: "registry.example.com/modules/**", Keys: []string{filepath.Join(dir, "team.pub"), "/etc/keys/old.pub"}},
		{
			Match: "ghcr.io/org/*", TrustedRoot: filepath.Join(dir, "roots", "trusted_root.json"),
			Identities: []trust.Identity{{Issuer: "https://token.actions.githubusercontent.com", SubjectRegExp: "https://github.com/org/.*"}},
		},
		{Match: "localhost:5000/**", Allow: trust.Unsigned},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(trust.Rule{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err = trust.Read(filepath.Join(dir, "none.yaml")); fail.CodeOf(err) != fail.Usage {
		t.Errorf("no file: error %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	rule := func(text string) string { return "rules: [{match: a/**, " + text + "}]" }
	for name, test := range map[string]struct{ text, want, hint string }{
		"unknown field":      {text: "rule: []", want: `unknown field "rule"`, hint: `did you mean "rules"?`},
		"unknown in a rule":  {text: rule("kyes: [a]"), want: `unknown field "rules[0].kyes"`, hint: `did you mean "keys"?`},
		"capital":            {text: rule("Keys: [a]"), want: `unknown field "rules[0].Keys"`, hint: `did you mean "keys"?`},
		"nothing near":       {text: rule("frobnicate: [a]"), want: `unknown field "rules[0].frobnicate"`, hint: "there are allow, identities, keys, match, signedAs, trustedRoot"},
		"in an identity":     {text: rule("identities: [{isuer: a}]"), want: `unknown field "rules[0].identities[0].isuer"`, hint: `did you mean "issuer"?`},
		"given twice":        {text: "rules: []\nrules: []", want: "already"},
		"not YAML":           {text: "{", want: "yaml"},
		"a list":             {text: "[]", want: "array does not belong there"},
		"wrong type":         {text: rule("keys: a.pub"), want: "rules.keys: a string does not belong there"},
		"default":            {text: "default: maybe", want: `default: "maybe" is neither deny nor allow`},
		"no match":           {text: "rules: [{keys: [a]}]", want: "rules[0].match: is missing"},
		"scheme":             {text: "rules: [{match: oci://a/b, keys: [a]}]", want: "rules[0].match: \"oci://a/b\" has a scheme", hint: "write it as HOST/PATH, such as registry.example.com/modules/**"},
		"version":            {text: "rules: [{match: a/b:1.0.0, keys: [a]}]", want: "names a version"},
		"empty segment":      {text: "rules: [{match: a//b, keys: [a]}]", want: "empty segment"},
		"half a double star": {text: "rules: [{match: a/b**, keys: [a]}]", want: "whole segments"},
		"bad pattern":        {text: "rules: [{match: 'a/[', keys: [a]}]", want: "is not a pattern"},
		"nothing asked":      {text: "rules: [{match: a}]", want: "rules[0].keys: keys, identities or 'allow: unsigned' must be given"},
		"null rule":          {text: "rules: [null]", want: "rules[0].match: is missing"},
		"empty keys":         {text: rule("keys: []"), want: "must be given"},
		"empty key":          {text: rule("keys: ['']"), want: "one is empty"},
		"allow what":         {text: rule("allow: everything"), want: `"everything" is not "unsigned"`},
		"allow and keys":     {text: rule("allow: unsigned, keys: [a]"), want: "needs neither keys nor identities"},
		"no trusted root":    {text: rule("identities: [{issuer: a, subject: b}]"), want: "rules[0].trustedRoot: identities need"},
		"another version":    {text: "apiVersion: v3", want: `apiVersion: unknown version "v3": want v1 or v2`},
		"signedAs in v1":     {text: rule("keys: [a], signedAs: 'oci://b/**'"), want: "signedAs: it needs 'apiVersion: v2'"},
		"signedAs of none":   {text: "apiVersion: v2\n" + rule("keys: [a], signedAs: b/c"), want: `signedAs: invalid repository "b/c": want oci://HOST/PATH`},
		"other wildcards":    {text: "apiVersion: v2\n" + rule("keys: [a], signedAs: 'oci://b/c'"), want: "have to end with the same wildcard"},
		"no identities":      {text: rule("keys: [a], trustedRoot: b"), want: "there are no identities"},
		"no issuer":          {text: rule("trustedRoot: a, identities: [{subject: b}]"), want: "identities[0]: either issuer"},
		"two issuers":        {text: rule("trustedRoot: a, identities: [{issuer: a, issuerRegExp: a, subject: b}]"), want: "either issuer"},
		"no subject":         {text: rule("trustedRoot: a, identities: [{issuer: a}]"), want: "either subject"},
		"bad expression":     {text: rule("trustedRoot: a, identities: [{issuer: a, subjectRegExp: '('}]"), want: "missing closing )"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := trust.Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if hints := strings.Join(fail.HintsOf(fail.Advise(err, registryadvice.For)), "; "); hints != test.hint {
				t.Errorf("hint %q, want %q", hints, test.hint)
			}
		})
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	for _, standard := range []string{trust.Deny, trust.Allow} {
		p, err := trust.Parse([]byte(`
rules:
- {match: registry.example.com/modules/special, allow: unsigned}
- {match: registry.example.com/modules/**, keys: [team.pub]}
- {match: "*.example.com/*/app", keys: [team.pub]}
- {match: "Local:443/x/**/y", keys: [team.pub]}
- {match: docker.io/library/**, keys: [team.pub]}
- {match: "[::1]:5000/a/*", keys: [team.pub]}
- {match: "10.0.0.1:0443/a", keys: [team.pub]}
- {match: "any.test:*/a", keys: [team.pub]}
- {match: "reg*/b", keys: [team.pub]}
- {match: docker.io/team, keys: [team.pub]}
default: ` + standard))
		if err != nil {
			t.Fatal(err)
		}
		for repository, want := range map[string]int{
			"registry.example.com/modules/special":      1,
			"registry.example.com/modules/other":        2,
			"registry.example.com/modules/a/b/c":        2,
			"registry.example.com/modules/special/more": 2,
			"REGISTRY.example.com:443/modules/other":    2,
			"registry.example.com:0443/modules/other":   2,
			"registry.example.com./modules/other":       2,
			"registry.example.com:80/modules/other":     2,
			"registry.example.com:8080/modules/other":   0,
			"registry.example.com/modules":              0,
			"eu.example.com/team/app":                   3,
			"eu.example.com/team/more/app":              0,
			"example.com/team/app":                      0,
			"local/x/a/y":                               4,
			"local/x/a/b/y":                             4,
			"local/x/y":                                 0,
			"index.docker.io/library/app":               5,
			"docker.io/nginx":                           5,
			"registry-1.docker.io/library/nginx":        5,
			"[::1]:5000/a/b":                            6,
			"[0:0:0:0:0:0:0:1]:05000/a/b":               6,
			"[::1]/a/b":                                 0,
			"1:5000/a/b":                                0,
			"::5000/a/b":                                0,
			"10.0.0.1/a":                                7,
			"[::ffff:10.0.0.1]:443/a":                   7,
			"10.0.0.1:444/a":                            0,
			"any.test:5000/a":                           8,
			"any.test/a":                                8,
			"registry:5000/b":                           9,
			"docker.io/library/team":                    5,
			"docker.io/other/team":                      0,
			"registry.example.org/modules/app":          0,
		} {
			rule, got := p.For(repository)
			if got != want {
				t.Errorf("%s: rule %d, want %d", repository, got, want)
			}
			if got == 0 && (rule.Allow == trust.Unsigned) != (standard == trust.Allow) {
				t.Errorf("default %s: %s is let through: %q", standard, repository, rule.Allow)
			}
		}
	}
}

// TestAccepts is about which repository a signature may name.
func TestAccepts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy, pulled, named string
		want                  bool
	}{
		"any in v1":                {"{match: a/**, keys: [k]}", "a/b", "c/d", true},
		"none in v1":               {"{match: a/**, keys: [k]}", "a/b", "", true},
		"the same":                 {"v2 {match: a/**, keys: [k]}", "a/b", "a/b", true},
		"the same with a version":  {"v2 {match: a/**, keys: [k]}", "a/b", "oci://A:443/b:1.0.0@sha256:00", true},
		"another":                  {"v2 {match: a/**, keys: [k]}", "a/b", "a/c", false},
		"none":                     {"v2 {match: a/**, keys: [k]}", "a/b", "", false},
		"Docker Hub":               {"v2 {match: docker.io/**, keys: [k]}", "docker.io/nginx", "index.docker.io/library/nginx", true},
		"a copy":                   {"v2 {match: m/a, keys: [k], signedAs: 'oci://r/b'}", "m/a", "r/b", true},
		"a copy as itself":         {"v2 {match: m/a, keys: [k], signedAs: 'oci://r/b'}", "m/a", "m/a", false},
		"copies":                   {"v2 {match: m/x/**, keys: [k], signedAs: 'oci://r/**'}", "m/x/a/b", "r/a/b", true},
		"copies under other names": {"v2 {match: m/x/**, keys: [k], signedAs: 'oci://r/**'}", "m/x/a/b", "r/a/c", false},
		"copies of Docker Hub":     {"v2 {match: m/*, keys: [k], signedAs: 'oci://docker.io/library/*'}", "m/nginx", "index.docker.io/library/nginx", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule, isV2 := strings.CutPrefix(test.policy, "v2 ")
			text := "rules: [" + rule + "]"
			if isV2 {
				text = "apiVersion: v2\n" + text
			}
			p, err := trust.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			r, n := p.For(test.pulled)
			if n != 1 || r.Accepts(test.named, test.pulled) != test.want {
				t.Errorf("rule %d accepts %q for %q: %v", n, test.named, test.pulled, !test.want)
			}
		})
	}
}

// What is read is either refused, or asks for something of what it matches.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("default: allow")
	f.Add("rules: [{match: '**', allow: unsigned}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := trust.Parse([]byte(text))
		if err != nil {
			return
		}
		for i, r := range p.Rules {
			if r.Allow == "" && len(r.Keys) == 0 && len(r.Identities) == 0 {
				t.Errorf("rule %d of %q asks for nothing", i, text)
			}
		}
		p.For("registry.example.com/modules/app")
	})
}
