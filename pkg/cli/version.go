// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of the whole set of binaries.
const Version = "0.1.0"

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
	b := Build{Version: Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
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
