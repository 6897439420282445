// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"net/url"
	"regexp"
	"strings"
)

// addressRE matches what begins as a URL does, well-formed or not.
var addressRE = regexp.MustCompile(`^[\w+.-]+:/`)

// URL returns an address as it may be shown: who asks is hidden, name and
// password, since a token stands in either place, and the query is left out,
// since signatures stand in it. Of an address that is none, what stands before
// the last @ is hidden.
func URL(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, hasQuery := strings.Cut(address, "?")
	scheme, rest, _ := strings.Cut(address, "/")
	rest = strings.TrimLeft(rest, "/")
	slashes := address[len(scheme) : len(address)-len(rest)]
	if u, err := url.Parse(address); err != nil || u.User != nil || u.Host == "" {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = Hidden + rest[at:]
		}
	}
	shown := scheme + slashes + rest
	if hasQuery {
		shown += "?…"
	}
	return shown
}

// Argument returns what a user typed as it may be shown in an error that says
// that it is not what it should be: a URL as URL does, and of the name of a
// secret with = or : and a value only the name.
func Argument(arg string) string {
	if addressRE.MatchString(arg) {
		return URL(arg)
	}
	if at := strings.IndexAny(arg, "=:"); at >= 0 && IsSecret(arg[:at]) {
		return arg[:at+1] + Hidden
	}
	return arg
}
