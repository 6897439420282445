// SPDX-License-Identifier: Apache-2.0

package ref

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Level says how far a version may change.
type Level string

// The levels.
const (
	Patch Level = "patch"
	Minor Level = "minor"
	Major Level = "major"
)

// Updates returns the range of the versions that a version may be updated to: by
// the level, which may be empty for any, and within a range, which may be empty,
// too. Pre-releases are in it only when the version is one, or the range names one.
func Updates(version string, level Level, within string) (string, error) {
	v, err := semver.StrictNewVersion(version)
	if err != nil {
		return "", fail.Invalidf("%q is not a version", version)
	}
	pre := ""
	if v.Prerelease() != "" {
		pre = "-0"
	}
	limit := ">=" + version
	switch level {
	case Patch:
		limit += fmt.Sprintf(" <%d.%d.0%s", v.Major(), v.Minor()+1, pre)
	case Minor:
		limit += fmt.Sprintf(" <%d.0.0%s", v.Major()+1, pre)
	}
	if within == "" {
		return limit, nil
	}
	alternatives := strings.Split(within, "||")
	for i, one := range alternatives {
		alternatives[i] = strings.TrimSpace(one) + " " + limit
	}
	return strings.Join(alternatives, " || "), nil
}
