// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"regexp"
)

// maxName is the length of a label's value, and of a namespace's name.
const maxName = 63

var (
	nameRE      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$`)
	namespaceRE = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
)

// CheckName returns an error unless name can be the name of an instance or of a
// bundle (docs/interop.md, section 5).
func CheckName(name string) error {
	return checkName(name, nameRE, "-_.")
}

// CheckNamespace returns an error unless name can be the name of a namespace: a
// DNS label (RFC 1123), as Kubernetes wants it.
func CheckNamespace(name string) error {
	return checkName(name, namespaceRE, "-")
}

func checkName(name string, want *regexp.Regexp, punctuation string) error {
	if len(name) <= maxName && want.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q: at most %d lower case letters, digits and %s are allowed, a letter or digit first and last", name, maxName, punctuation)
}
