// SPDX-License-Identifier: Apache-2.0

// Package guard describes the functions in a kustomization, and
// what is left when kustomize leaves them out: without --enable-exec it does so
// in silence, and a guard is what makes such a build fail.
package guard

// Verb is the hidden verb of timoni-krm that takes a directory and prints a
// Report as JSON.
const Verb = "examine"

// Report describes a kustomization and its functions.
type Report struct {
	Functions []Function `json:"functions"`
	// Unseen names what was not looked at, because that needs the network or
	// runs a program of another project.
	Unseen []string `json:"unseen,omitempty"`

	LeftOut  Build `json:"leftOut"`  // as with --enable-alpha-plugins alone
	Complete Build `json:"complete"` // with the functions of ours, offline

	Missing int `json:"missing"` // objects of Complete that LeftOut lacks
	Changed int `json:"changed"` // objects that differ between them

	Guard *Patch `json:"guard,omitempty"` // what would make LeftOut fail, tried out
}

// Build is the outcome of a build.
type Build struct {
	Objects int    `json:"objects"`
	Error   string `json:"error,omitempty"`
}

// Patch is a guard that is still to be written: text for the kustomization, and
// for a file next to it, if there is one.
type Patch struct {
	Kustomization string `json:"kustomization"`
	File          string `json:"file,omitempty"`
	Content       string `json:"content,omitempty"` // of the file
}

// How kustomize runs a function.
const (
	Exec      = "exec"      // with --enable-alpha-plugins and --enable-exec
	Container = "container" // with --enable-alpha-plugins
	Plugin    = "plugin"    // the same, as a program in its plugin directory
)

// Function is a function that a kustomization lists.
type Function struct {
	Kustomization string `json:"kustomization"` // the file that lists it
	Role          string `json:"role"`          // the list: generators, transformers or validators
	Root          string `json:"root"`          // the absolute directory in which it runs
	APIVersion    string `json:"apiVersion"`
	Kind          string `json:"kind"`
	Name          string `json:"name"`

	Runs      string `json:"runs"`
	Program   string `json:"program"`             // a path or bare name, or the image of a container
	Arguments bool   `json:"arguments,omitempty"` // it has args or envs
	Ours      bool   `json:"ours,omitempty"`      // of krm.timoni.sh
	Problem   string `json:"problem,omitempty"`   // why kustomize fails with it, or does harm
	Hint      string `json:"hint,omitempty"`
}

// Skippable says whether kustomize leaves the function out in silence, unless
// it is told otherwise.
func (f Function) Skippable() bool { return f.Runs == Exec }
