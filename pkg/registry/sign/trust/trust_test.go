// SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if diff := cmp.Diff(want, got); diff != "" {
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
		"nothing near":       {text: rule("frobnicate: [a]"), want: `unknown field "rules[0].frobnicate"`, hint: "there are allow, identities, keys, match, trustedRoot"},
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
			if hints := strings.Join(fail.HintsOf(err), "; "); hints != test.hint {
				t.Errorf("hint %q, want %q", hints, test.hint)
			}
		})
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	p, err := trust.Parse([]byte(`
rules:
- {match: registry.example.com/modules/special, allow: unsigned}
- {match: registry.example.com/modules/**, keys: [team.pub]}
- {match: "*.example.com/*/app", keys: [team.pub]}
- {match: "Local:443/x/**/y", keys: [team.pub]}
- {match: docker.io/library/**, keys: [team.pub]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]int{
		"registry.example.com/modules/special":      1,
		"registry.example.com/modules/other":        2,
		"registry.example.com/modules/a/b/c":        2,
		"registry.example.com/modules/special/more": 2,
		"REGISTRY.example.com:443/modules/other":    2,
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
		"registry.example.org/modules/app":          0,
	} {
		rule, got := p.For(repository)
		if got != want {
			t.Errorf("%s: rule %d, want %d", repository, got, want)
		}
		if got == 0 && rule.Allow != "" {
			t.Errorf("%s is let through", repository)
		}
	}
	open := &trust.Policy{Default: trust.Allow}
	if rule, n := open.For("a/b"); n != 0 || rule.Allow != trust.Unsigned {
		t.Errorf("default allow: %+v, %d", rule, n)
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
