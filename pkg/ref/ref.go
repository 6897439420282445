// SPDX-License-Identifier: Apache-2.0

// Package ref parses and prints what a person writes to name a module: a
// directory, a file:// address or an oci:// address with a version or digest.
package ref

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

const (
	ociScheme  = "oci://"
	fileScheme = "file://"

	// Latest is the version that is taken when none is named.
	Latest = "latest"
	// DevelVersion is the version of a module that is read from a directory.
	DevelVersion = "0.0.0-devel"
	// UnknownDigest is the digest of a module that is read from a directory.
	UnknownDigest = "unknown"
)

// The grammars of the distribution specification: a host that is a domain or
// an IPv6 address in brackets, path components, a tag and a digest.
var (
	hostRE   = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$`)
	pathRE   = regexp.MustCompile(`^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$`)
	tagRE    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	digestRE = regexp.MustCompile(`^sha256:[a-f0-9]+$`)
	schemeRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)
)

// Reference names a module. Exactly one of Dir and Repository is set.
type Reference struct {
	Dir        string // of a local module, as typed, without file://
	Repository string // host/path of an OCI module, without oci://, tag and digest
	Tag        string // empty when none was named
	Digest     string // sha256:…, empty when none was named
	Range      string // of versions, one of which is to become Tag; see ParseRange

	typed string
}

// Parse reads a module reference: oci://host/path[:tag][@digest], file://DIR
// or DIR. The error says which part is wrong; it is a *fail.InvalidError.
func Parse(s string) (Reference, error) {
	switch {
	case s == "":
		return Reference{}, fail.Invalidf("the module reference is empty")
	case strings.HasPrefix(s, ociScheme) && !hasCredentials(s):
		return parseOCI(s)
	case strings.HasPrefix(s, fileScheme):
		dir := strings.TrimPrefix(s, fileScheme)
		if dir == "" {
			return Reference{}, fail.Invalidf("module %q names no directory", s)
		}
		// On Windows file:///C:/modules is C:/modules.
		if local, ok := strings.CutPrefix(dir, "/"); ok && filepath.VolumeName(local) != "" {
			dir = local
		}
		return Reference{Dir: dir, typed: s}, nil
	case hasCredentials(s):
		return Reference{}, errCredentials(s)
	case schemeRE.MatchString(s):
		return Reference{}, fail.Invalid(&SchemeError{Module: s})
	}
	return Reference{Dir: s, typed: s}, nil
}

// ParseRanged is Parse for an address that may have a range of versions in the
// place of the tag: oci://host/path:RANGE.
func ParseRanged(s string) (Reference, error) {
	rest, digest, _ := strings.Cut(strings.TrimPrefix(s, ociScheme), "@")
	i := strings.LastIndex(rest, ":")
	if hasCredentials(s) || i <= strings.LastIndex(rest, "/") || !isRange(rest[i+1:]) {
		return Parse(s)
	}
	r, err := Parse(ociScheme + rest[:i])
	if err != nil {
		return r, err
	}
	return r.Select(rest[i+1:], digest)
}

// hasCredentials says whether an address holds USER:PASSWORD@. A digest follows
// an @ too, but after a path.
func hasCredentials(s string) bool {
	_, rest, found := strings.Cut(s, "://")
	at := strings.LastIndex(rest, "@")
	if !found || at < 0 {
		return false
	}
	before, after := rest[:at], rest[at+1:]
	return strings.Contains(after, "/") || !strings.Contains(before, "/") && !strings.HasPrefix(after, "sha256:")
}

// errCredentials does not show them.
func errCredentials(s string) error {
	scheme, rest, _ := strings.Cut(s, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	host, _, _ := strings.Cut(rest, "/")
	return fail.Invalid(&CredentialsError{Module: scheme + "://…@" + rest, Host: host})
}

// errHost shows no port that is none: it may be the password of a user whose
// host is missing.
func errHost(s, host string) error {
	if name, port, ok := strings.Cut(host, ":"); ok && !isPort(port) {
		s, host = strings.Replace(s, host, name+":…", 1), name+":…"
	}
	return fail.Invalidf("module %q: %q is not a registry host", s, host)
}

func isPort(s string) bool { return strings.Trim(s, "0123456789") == "" }

func parseOCI(s string) (Reference, error) {
	r := Reference{typed: s}
	rest, digest, hasDigest := strings.Cut(strings.TrimPrefix(s, ociScheme), "@")
	if hasDigest {
		r.Digest = digest
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(path, ":"); i >= 0 {
		r.Tag, path = path[i+1:], path[:i]
		if !isTag(r.Tag) {
			return Reference{}, fmt.Errorf("module %q: %w", s, notTag(r.Tag))
		}
	}
	if hasDigest && !isDigest(digest) {
		return Reference{}, fail.Invalidf("module %q: %q is not a digest of the form sha256:<64 hex digits>", s, digest)
	}
	if !hostRE.MatchString(host) {
		return Reference{}, errHost(s, host)
	}
	if !pathRE.MatchString(path) {
		return Reference{}, fail.Invalidf("module %q: %q is not a repository path (lower case letters, digits and ._-/)", s, path)
	}
	r.Repository = host + "/" + path
	return r, nil
}

// IsLocal says whether the module is read from a directory.
func (r Reference) IsLocal() bool { return r.Repository == "" }

// IsArchive says whether a local module has the name of an archive.
func (r Reference) IsArchive() bool { return r.IsLocal() && filepath.Ext(r.Dir) == ".tar" }

// CheckContent compares what the reference to an archive selects with the
// version and the digest that the archive holds.
func (r Reference) CheckContent(version, digest string) error {
	within := true
	if r.Range != "" {
		constraints, err := ParseRange(r.Range)
		if err != nil {
			return err
		}
		held, err := semver.StrictNewVersion(version)
		within = err == nil && constraints.Check(held)
	}
	switch {
	case !within, r.Tag != "" && r.Tag != version:
		return fail.Invalidf("module %q holds version %q, but %q is asked for", r, version, cmp.Or(r.Range, r.Tag))
	case r.Digest != "" && r.Digest != digest:
		return fail.Invalidf("module %q has the digest %s, but %s is asked for", r, digest, r.Digest)
	}
	return nil
}

// CheckRemote returns an error for a module that is read from a directory.
func (r Reference) CheckRemote() error {
	if r.IsLocal() {
		return fail.Invalidf("%q is a directory, not an oci:// reference", r)
	}
	return nil
}

// String returns the reference in the form it can be parsed from: what was
// typed for a directory, the whole address otherwise.
func (r Reference) String() string {
	if r.IsLocal() {
		return r.typed
	}
	s := ociScheme + r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Source returns the reference without version and digest, as the instance
// record stores it: oci://host/path, or the directory as typed.
func (r Reference) Source() string {
	if r.IsLocal() {
		return r.typed
	}
	return ociScheme + r.Repository
}

// Select returns the reference with a version and a digest that were given
// apart from it, each of which may be empty. It is an error when the reference
// names another one already, and for a directory, which has neither. Those of an
// archive are compared when it is read.
func (r Reference) Select(version, digest string) (Reference, error) {
	if version == "" && digest == "" {
		return r, nil
	}
	if r.IsLocal() && !r.IsArchive() {
		return Reference{}, fail.Invalid(&DirectoryError{Module: r.typed})
	}
	if version != "" {
		if r.Tag != "" && r.Tag != version && !isRange(version) {
			return Reference{}, fail.Invalidf("module %q names version %q, but %q is asked for", r.typed, r.Tag, version)
		}
		if isRange(version) {
			if _, err := ParseRange(version); err != nil {
				return Reference{}, fmt.Errorf("module %q: %w", r.typed, err)
			}
			if r.Tag != "" {
				return Reference{}, fail.Invalidf("module %q names version %q, so there is no range to choose from", r.typed, r.Tag)
			}
			r.Range, version = version, ""
		}
		if version != "" && version != Latest {
			if err := CheckVersion(version); err != nil {
				return Reference{}, fmt.Errorf("module %q: %w", r.typed, err)
			}
		}
		r.Tag = version
	}
	if digest != "" {
		if !isDigest(digest) {
			return Reference{}, fail.Invalidf("%q is not a digest of the form sha256:<64 hex digits>", digest)
		}
		if r.Digest != "" && r.Digest != digest {
			return Reference{}, fail.Invalidf("module %q names digest %s, but %s is asked for", r.typed, r.Digest, digest)
		}
		r.Digest = digest
	}
	return r, nil
}

// notTag says why s is no tag: what looks like a version is named as one.
func notTag(s string) error {
	if err := CheckVersion(s); err != nil && strings.Contains(s, "+") {
		return err
	}
	return fail.Invalidf("%q is not a tag", s)
}

// Lengths are not left to the expressions: compiling one with a counted
// repetition takes as long as compiling all the others, in every start.
func isTag(s string) bool { return len(s) <= 128 && tagRE.MatchString(s) }

func isDigest(s string) bool {
	return len(s) == len("sha256:")+64 && digestRE.MatchString(s)
}

// rangeRE matches what is part of a range of versions, never of one version.
var rangeRE = regexp.MustCompile(`[<>=!~^*|, ]|(?:^|\.)[xX](?:\.|$)`)

func isRange(version string) bool { return rangeRE.MatchString(version) }

// ParseRange reads a range of versions: comparisons with spaces or commas
// between them that must all hold, alternatives divided by ||, and the forms
// 1.2.x, ~1.2 and ^1.2. Pre-releases are in a range only when it names one.
func ParseRange(s string) (*semver.Constraints, error) {
	within, err := semver.NewConstraint(s)
	if err != nil {
		return nil, fail.Invalidf("%q is not a range of versions such as '>=1.2 <2'", s)
	}
	return within, nil
}

// CheckVersion returns an error unless v is a version of a module: strict
// SemVer 2.0.0 without v prefix and without build metadata, which is no legal
// part of a tag (docs/interop.md, section 4). It is a *fail.InvalidError.
func CheckVersion(v string) error {
	if strings.HasPrefix(v, "v") {
		return fail.Invalidf("version %q: leave out the prefix v", v)
	}
	parsed, err := semver.StrictNewVersion(v)
	if err != nil {
		return fail.Invalidf("version %q is not a semantic version such as 1.2.3 or 1.2.3-rc.1: %s", v, brokenRule(err))
	}
	if parsed.Metadata() != "" {
		return fail.Invalidf("version %q: build metadata (+%s) cannot be part of a tag", v, parsed.Metadata())
	}
	return nil
}

// brokenRule says which rule of SemVer 2.0.0 is behind an error of the library.
func brokenRule(err error) string {
	switch {
	case errors.Is(err, semver.ErrInvalidSemVer):
		return "it takes three numbers"
	case errors.Is(err, semver.ErrSegmentStartsZero):
		return "no number begins with 0"
	case errors.Is(err, semver.ErrInvalidPrerelease):
		return "a pre-release is letters, digits and - between dots"
	case errors.Is(err, semver.ErrInvalidMetadata):
		return "build metadata is letters, digits and - between dots"
	}
	return "the three parts are numbers"
}
