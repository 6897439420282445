// SPDX-License-Identifier: Apache-2.0

// Package trust reads the file that says which artifacts must be signed by
// whom, and finds the rule for one. What the rule asks for is checked elsewhere.
package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Policy is the content of a policy file.
type Policy struct {
	// APIVersion is empty or v1, or v2, by which a signature counts only for the
	// repository that it names.
	APIVersion string `json:"apiVersion"`
	Default    string `json:"default"` // for what no rule matches: deny, the default, or allow
	Rules      []Rule `json:"rules"`   // of which the first that matches decides
}

// Rule says what is asked of the artifacts in some repositories: a signature by
// one of Keys or of Identities, or nothing.
type Rule struct {
	Match       string     `json:"match"`       // a pattern for HOST/PATH
	Keys        []string   `json:"keys"`        // files with public keys in PEM form
	Identities  []Identity `json:"identities"`  // in certificates
	TrustedRoot string     `json:"trustedRoot"` // file with the certificate authorities and logs for them
	Allow       string     `json:"allow"`       // "unsigned", or empty
	// SignedAs is the repository, oci://HOST/PATH, that the signatures name where
	// the artifacts are copies: in a mirror, or behind an air gap. It ends with
	// the wildcard of Match, if that has one. Only v2 has it.
	SignedAs string `json:"signedAs"`

	bound bool // the policy is v2
}

// Identity is who a certificate is for, and who says so.
type Identity struct {
	Issuer        string `json:"issuer"`
	IssuerRegExp  string `json:"issuerRegExp"`
	Subject       string `json:"subject"`
	SubjectRegExp string `json:"subjectRegExp"`
}

// The words of a policy.
const (
	Deny     = "deny"
	Allow    = "allow"
	Unsigned = "unsigned"

	V1 = "v1"
	V2 = "v2"
)

// String returns the identity for a person: subject and issuer.
func (i Identity) String() string {
	return i.Subject + i.SubjectRegExp + " (" + i.Issuer + i.IssuerRegExp + ")"
}

// Read reads a policy file. Paths in it are relative to its directory. The
// error names the file and the field, and is a *fail.InvalidError.
func Read(file string) (*Policy, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fail.Invalidf("policy: %w", err)
	}
	p, err := parse(data)
	if err != nil {
		return nil, fail.Invalidf("policy %s: %w", file, err)
	}
	dir := filepath.Dir(file)
	for i := range p.Rules {
		r := &p.Rules[i]
		for k := range r.Keys {
			r.Keys[k] = below(dir, r.Keys[k])
		}
		r.TrustedRoot = below(dir, r.TrustedRoot)
	}
	return p, nil
}

func below(dir, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}

// parse reads a policy, YAML or JSON. A field that is not known or given twice
// is an error.
func parse(data []byte) (*Policy, error) {
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, err
	}
	var tree any
	if err = json.Unmarshal(asJSON, &tree); err != nil {
		return nil, err
	}
	if err = checkFields("", tree, reflect.TypeFor[Policy]()); err != nil {
		return nil, err
	}
	var p Policy
	if err = json.Unmarshal(asJSON, &p); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, fmt.Errorf("%s: a %s does not belong there", wrong.Field, wrong.Value)
		}
		return nil, err
	}
	return &p, p.check()
}

// checkFields returns an error for a field that the type does not have.
func checkFields(at string, value any, t reflect.Type) error {
	switch v := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return nil // to be found when it is decoded
		}
		for i, item := range v {
			if err := checkFields(fmt.Sprintf("%s[%d]", at, i), item, t.Elem()); err != nil {
				return err
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		known := map[string]reflect.Type{}
		for f := range t.Fields() {
			if f.IsExported() {
				known[f.Tag.Get("json")] = f.Type
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if known[name] == nil {
				return unknownField(at, name, slices.Sorted(maps.Keys(known)))
			}
			if err := checkFields(join(at, name), v[name], known[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func unknownField(at, name string, known []string) error {
	e := &UnknownFieldError{Field: join(at, name), Known: known}
	e.Nearest, _ = fail.Nearest(name, known)
	return e
}

// UnknownFieldError says that a policy has a field that does not exist.
type UnknownFieldError struct {
	Field   string // with its path
	Nearest string // of those that do, empty if none is near
	Known   []string
}

// Error names the field.
func (e *UnknownFieldError) Error() string { return fmt.Sprintf("unknown field %q", e.Field) }

// SchemeError says that a pattern for repositories begins with a scheme.
type SchemeError struct{ Pattern string }

// Error names the pattern.
func (e *SchemeError) Error() string { return fmt.Sprintf("%q has a scheme", e.Pattern) }

func (p *Policy) check() error {
	switch p.Default {
	case "", Deny, Allow:
	default:
		return fmt.Errorf("default: %q is neither %s nor %s", p.Default, Deny, Allow)
	}
	switch p.APIVersion {
	case "", V1, V2:
	default:
		return fmt.Errorf("apiVersion: unknown version %q: want %s or %s", p.APIVersion, V1, V2)
	}
	for i := range p.Rules {
		p.Rules[i].bound = p.APIVersion == V2
		if err := p.Rules[i].check(); err != nil {
			return fmt.Errorf("rules[%d].%w", i, err)
		}
	}
	return nil
}

func (r Rule) check() error {
	if err := checkPattern(r.Match); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	signed := len(r.Keys) > 0 || len(r.Identities) > 0
	switch {
	case r.Allow != "" && r.Allow != Unsigned:
		return fmt.Errorf("allow: %q is not %q", r.Allow, Unsigned)
	case r.Allow != "" && signed:
		return errors.New("allow: what may be unsigned needs neither keys nor identities")
	case r.Allow == "" && !signed:
		return fmt.Errorf("keys: keys, identities or 'allow: %s' must be given", Unsigned)
	case slices.Contains(r.Keys, ""):
		return errors.New("keys: one is empty")
	case len(r.Identities) > 0 && r.TrustedRoot == "":
		return errors.New("trustedRoot: identities need the file that says which authorities to trust")
	case len(r.Identities) == 0 && r.TrustedRoot != "":
		return errors.New("trustedRoot: there are no identities")
	}
	if err := r.checkSignedAs(); err != nil {
		return fmt.Errorf("signedAs: %w", err)
	}
	for i, identity := range r.Identities {
		if err := identity.Check(); err != nil {
			return fmt.Errorf("identities[%d]: %w", i, err)
		}
	}
	return nil
}

// Check returns an error unless subject and issuer are both given, each in one
// of its forms. An expression must match the whole.
func (i Identity) Check() error {
	if (i.Issuer == "") == (i.IssuerRegExp == "") {
		return errors.New("either issuer or issuerRegExp must be given")
	}
	if (i.Subject == "") == (i.SubjectRegExp == "") {
		return errors.New("either subject or subjectRegExp must be given")
	}
	for _, expression := range []string{i.IssuerRegExp, i.SubjectRegExp} {
		if _, err := regexp.Compile(expression); err != nil {
			return err
		}
	}
	return nil
}

// For returns the rule for a repository, HOST/PATH, and its number, from 1. It
// returns 0 when no rule matches, with a rule that stands for the default.
func (p *Policy) For(repository string) (Rule, int) {
	for i, r := range p.Rules {
		if matches(r.Match, repository) {
			return r, i + 1
		}
	}
	if p.Default == Allow {
		return Rule{Allow: Unsigned}, 0
	}
	return Rule{}, 0
}

func checkPattern(pattern string) error {
	if pattern == "" {
		return errors.New("is missing")
	}
	if strings.Contains(pattern, "://") {
		return &SchemeError{Pattern: pattern}
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if segment == "" {
			return fmt.Errorf("%q has an empty segment", pattern)
		}
		if strings.Contains(segment, "**") && segment != "**" {
			return fmt.Errorf("%q: ** stands for whole segments", pattern)
		}
		// A tag or a digest would never match: only a port has a colon.
		if _, err := path.Match(segment, ""); err != nil && !parsePlace(segment).address {
			return fmt.Errorf("%q is not a pattern", pattern)
		}
	}
	if _, rest, _ := strings.Cut(pattern, "/"); strings.ContainsAny(rest, ":@") {
		return fmt.Errorf("%q names a version: rules are for whole repositories", pattern)
	}
	return nil
}
