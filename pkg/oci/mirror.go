// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// mirrored returns where a repository is read: below the replacement of the
// longest prefix that fits, or itself. Prefixes end where a part of the path
// does. The error, for a list of mirrors that cannot be read, is fail.Usage.
func mirrored(repository, mirrors string) (string, error) {
	best, replacement := "", repository
	for pair := range strings.SplitSeq(mirrors, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		from, to, ok := strings.Cut(pair, "=")
		if !ok || from == "" || to == "" || strings.Contains(to, "://") || strings.Contains(from, "://") {
			return "", fail.Usagef("mirror %q is not of the form HOST[/PATH]=HOST[/PATH]", pair)
		}
		rest, fits := strings.CutPrefix(repository, from)
		if fits && (rest == "" || rest[0] == '/') && len(from) > len(best) {
			best, replacement = from, to+rest
		}
	}
	if best == "" {
		return repository, nil
	}
	if _, err := ref.Parse("oci://" + replacement); err != nil {
		return "", fail.Usagef("mirror %q: %q is not a repository", best, replacement)
	}
	return replacement, nil
}
