// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Unreleased is the version of what was built from no tag.
const Unreleased = "0.0.0-devel"

// Version returns the version of the whole set of binaries. The tag alone states
// it: the go command writes it into what it builds from a checkout with tags, and
// into what it installs from a module proxy.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Unreleased
	}
	return VersionOf(info)
}

// VersionOf returns the version of a binary with this build information.
func VersionOf(info *debug.BuildInfo) string {
	version := strings.TrimPrefix(info.Main.Version, "v")
	checkout := slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs" })
	switch {
	case version == "" || version == "(devel)" || strings.Contains(version, "+"):
		return Unreleased
	case checkout && isPseudo(version):
		return Unreleased // the revision says what it is
	}
	return version
}

// isPseudo reports whether the go command made a version for a commit without a
// tag: it ends in a time and the beginning of the commit's name.
func isPseudo(version string) bool {
	const revision, moment = 12, 14
	at := len(version) - revision - 1
	if at < moment || version[at] != '-' {
		return false
	}
	return !strings.ContainsFunc(version[at-moment:at], func(r rune) bool { return r < '0' || r > '9' })
}

// versionVerb, as the verb in argv[0], asks a binary for its Build as JSON.
// The front door asks its siblings so: none of them has to reserve an operand
// or a flag for it, which "apply NAME --version 1.2.3" would clash with.
const versionVerb = "version"

// VersionProgram is the argv[0] with which the front door asks a sibling for
// its Build.
const VersionProgram = "kubectl timoni " + versionVerb

// Build says what a binary was built from.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, with "-dirty" when it was changed
	Go       string `json:"go"`
	CUE      string `json:"cue,omitempty"` // the version of CUE, when it is linked
	Platform string `json:"platform"`
}

// ThisBuild returns the Build of the running binary.
func ThisBuild() Build {
	b := Build{Version: Unreleased, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = VersionOf(info)
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified && b.Revision != "" {
		b.Revision += "-dirty"
	}
	for _, dep := range info.Deps {
		if dep.Path == "cuelang.org/go" {
			b.CUE = dep.Version
		}
	}
	return b
}

func printBuild(env Env) int {
	out, err := json.Marshal(ThisBuild())
	if err != nil {
		fmt.Fprintf(env.Stderr, "error: %v\n", err)
		return 3
	}
	fmt.Fprintf(env.Stdout, "%s\n", out)
	return 0
}
