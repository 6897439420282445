// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// place is a registry, or a pattern for some.
type place struct {
	host    string // in lower case, an address in its shortest form
	port    string // without leading zeros; empty for those that need not be written
	address bool   // host is an IP address, never a pattern
}

// parsePlace reads HOST[:PORT]. A host has many spellings: names know no
// capitals and may end with a dot, addresses may be written longer, and Docker
// Hub has several names.
func parsePlace(text string) place {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
	}
	if n, err := strconv.ParseUint(port, 10, 64); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	if port == "443" || port == "80" {
		port = ""
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(bare); err == nil {
		return place{ip.Unmap().String(), port, true}
	}
	if slices.Contains([]string{"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}, host) {
		host = "docker.io"
	}
	return place{host: host, port: port}
}

// fits says whether a registry is one of those that p stands for. Where p names
// no port, only a host that ends with * fits with any.
func (p place) fits(registry place) bool {
	if p.host == "**" {
		p.host = "*"
	}
	anyPort := p.port == "*" || p.port == "" && strings.HasSuffix(p.host, "*")
	if !anyPort && p.port != registry.port {
		return false
	}
	if p.address {
		return registry.address && p.host == registry.host
	}
	fits, err := path.Match(p.host, registry.host)
	return fits && err == nil
}

// split returns the registry and the segments of the path of HOST/PATH. An
// image of Docker Hub that is named by one segment is in library/.
func split(repository string) (place, []string) {
	host, rest, _ := strings.Cut(repository, "/")
	registry := parsePlace(host)
	if rest == "" {
		return registry, nil
	}
	segments := strings.Split(rest, "/")
	if registry.host == "docker.io" && len(segments) == 1 && segments[0] != "**" {
		segments = append([]string{"library"}, segments...)
	}
	return registry, segments
}

// matches says whether a repository, HOST/PATH, is one of those that a pattern
// stands for.
func matches(pattern, repository string) bool {
	wantedHost, wanted := split(pattern)
	host, segments := split(repository)
	if !wantedHost.fits(host) {
		return false
	}
	if wantedHost.host == "**" && matchPath(append([]string{"**"}, wanted...), segments) {
		return true
	}
	return matchPath(wanted, segments)
}

// matchPath says whether segments fit a pattern: ** stands for one segment or
// more, * for anything within one.
func matchPath(pattern, segments []string) bool {
	if len(pattern) == 0 || len(segments) == 0 {
		return len(pattern) == len(segments)
	}
	if pattern[0] == "**" {
		return matchPath(pattern[1:], segments[1:]) || matchPath(pattern, segments[1:])
	}
	fits, err := path.Match(pattern[0], segments[0])
	return fits && err == nil && matchPath(pattern[1:], segments[1:])
}

// Accepts says whether a signature may name a repository, HOST/PATH with or
// without a tag, for what is pulled from another one. Any may be named by a
// policy of version v1.
func (r Rule) Accepts(named, pulled string) bool {
	return !r.bound || canonical(withoutVersion(named)) == canonical(r.Expected(pulled))
}

// Expected returns the repository, HOST/PATH, that the signatures of what is
// pulled from one have to name.
func (r Rule) Expected(pulled string) string {
	if r.SignedAs == "" {
		return pulled
	}
	expected := strings.TrimPrefix(r.SignedAs, ociScheme)
	prefix, ok := wildcard(expected)
	if !ok {
		return expected
	}
	// The host of a pattern with signedAs is no pattern, so that the segments of
	// what it stands for come after as many as it has before.
	_, pattern := split(r.Match)
	_, segments := split(pulled)
	return prefix + "/" + strings.Join(segments[min(len(pattern)-1, len(segments)):], "/")
}

const ociScheme = "oci://"

// wildcard returns what is before the wildcard that a pattern ends with.
func wildcard(pattern string) (prefix string, ok bool) {
	for _, end := range []string{"/**", "/*"} {
		if prefix, ok = strings.CutSuffix(pattern, end); ok {
			return prefix, true
		}
	}
	return pattern, false
}

func (r Rule) checkSignedAs() error {
	if r.SignedAs == "" {
		return nil
	}
	if !r.bound {
		return fmt.Errorf("it needs 'apiVersion: %s'", V2)
	}
	if r.Allow != "" {
		return errors.New("what may be unsigned needs no name")
	}
	repository, ok := strings.CutPrefix(r.SignedAs, ociScheme)
	if !ok {
		return fmt.Errorf("invalid repository %q: want oci://HOST/PATH", r.SignedAs)
	}
	if err := checkPattern(repository); err != nil {
		return err
	}
	prefix, _ := wildcard(repository)
	matched, _ := wildcard(r.Match)
	if strings.ContainsAny(prefix+matched, "*?") || repository[len(prefix):] != r.Match[len(matched):] {
		return fmt.Errorf("%q and the match %q have to end with the same wildcard, or to have none", r.SignedAs, r.Match)
	}
	return nil
}

// canonical spells HOST/PATH in one way.
func canonical(repository string) string {
	registry, segments := split(repository)
	return strings.Join(append([]string{registry.host + ":" + registry.port}, segments...), "/")
}

// withoutVersion removes scheme, tag and digest of a reference.
func withoutVersion(reference string) string {
	reference, _, _ = strings.Cut(strings.TrimPrefix(reference, ociScheme), "@")
	if i := strings.LastIndexByte(reference, ':'); i > strings.LastIndexByte(reference, '/') && strings.Contains(reference, "/") {
		reference = reference[:i]
	}
	return reference
}
