// SPDX-License-Identifier: Apache-2.0

// Package plugins knows the set of binaries that make up the product: which
// verb lives in which of them, where they are found, what they were built
// from, and whether a machine has what they need.
package plugins

import "slices"

// FrontDoor is the file name of the binary that hands verbs on to the others,
// its siblings.
const FrontDoor = "kubectl-timoni"

// Function is the file name of the KRM function, the only sibling that is not
// a kubectl plugin.
const Function = "timoni-krm"

// Verb is a row of the table by which the front door finds its way.
type Verb struct {
	Name  string
	Short string // one line for the help
	Group string // the heading under which the help lists it

	// Binary is the file name of the sibling that has the verb; empty for the
	// front door's own.
	Binary string
	// Named says that the binary learns the verb from argv[0]; otherwise the
	// verb is its first argument.
	Named bool
	// Commands says that the word after the verb is a command too.
	Commands bool
}

// Verbs returns the table of all verbs, in the order of the help.
func Verbs() []Verb {
	const (
		one    = "Instances"
		many   = "Bundles"
		author = "Modules"
		oci    = "Registries"
		krm    = "Kustomize and KRM"
		own    = "This plugin"
	)
	return []Verb{
		{"build", "Render an instance as YAML or JSON on stdout", one, "kubectl-timoni-build", true, false},
		{"apply", "Install or upgrade an instance and wait until it is ready", one, "kubectl-timoni-apply", true, false},
		{"install", "The same as apply", one, "kubectl-timoni-apply", true, false},
		{"upgrade", "The same as apply", one, "kubectl-timoni-apply", true, false},
		{"diff", "Show what an apply would change", one, "kubectl-timoni-apply", true, false},
		{"status", "Show whether the objects of an instance are ready", one, "kubectl-timoni-apply", true, false},
		{"rollback", "Apply an earlier revision of an instance again", one, "kubectl-timoni-apply", true, false},
		{"list", "List the instances in a namespace or a cluster", one, "kubectl-timoni-instance", false, false},
		{"inspect", "Show the module, values and objects of an instance", one, "kubectl-timoni-instance", false, false},
		{"history", "Show the revisions of an instance", one, "kubectl-timoni-instance", false, false},
		{"logs", "Show the logs of all containers of an instance", one, "kubectl-timoni-instance", false, false},
		{"events", "Show the events about an instance and what it owns", one, "kubectl-timoni-instance", false, false},
		{"delete", "Delete an instance and its objects", one, "kubectl-timoni-instance", false, false},
		{"plan", "Show a saved plan", one, "kubectl-timoni-instance", false, true},
		{"instance", "The commands on applied instances, as a group", one, "kubectl-timoni-instance", true, true},
		{"bundle", "Build, apply, compare and delete many instances at once", many, "kubectl-timoni-bundle", true, true},
		{"runtime", "Show the values that a bundle reads from clusters", many, "kubectl-timoni-bundle", false, true},
		{"mod", "Create, vet, test and publish modules", author, "kubectl-timoni-mod", true, true},
		{"fmt", "Format the CUE files of a module", author, "kubectl-timoni-mod", false, false},
		{"values", "Write the schema of a module's values for editors", author, "kubectl-timoni-mod", false, true},
		{"artifact", "Push, pull, list, tag and verify artifacts", oci, "kubectl-timoni-artifact", true, true},
		{"registry", "Log in to and out of registries", oci, "kubectl-timoni-artifact", false, true},
		{"kustomize", "Build a kustomization that uses modules", krm, Function, false, false},
		{"vet", "Check objects by policies in CUE", krm, Function, false, false},
		{"pin", "Write versions and digests into function configs", krm, Function, false, false},
		{"krm", "Install the KRM function and show its schema", krm, Function, false, true},
		{"version", "Show the versions of all binaries", own, "", false, false},
		{"doctor", "Check what is installed and what is missing", own, "", false, false},
		{"completion", "Set up shell completion", own, "", false, false},
		{"help", "Show this text, or the help of a verb", own, "", false, false},
	}
}

// Siblings returns the file names of the binaries next to the front door, in
// the order of the table.
func Siblings() []string {
	var names []string
	for _, v := range Verbs() {
		if v.Binary != "" && !slices.Contains(names, v.Binary) {
			names = append(names, v.Binary)
		}
	}
	return names
}

// verbsOf returns the names of the verbs that a sibling has.
func verbsOf(binary string) []string {
	var names []string
	for _, v := range Verbs() {
		if v.Binary == binary {
			names = append(names, v.Name)
		}
	}
	return names
}

// Flag is a flag of kubectl's that may stand before the verb.
type Flag struct {
	Name, Short string
	Value       bool // it takes one
}

// KubectlFlags returns the flags that every kubectl command takes.
func KubectlFlags() []Flag {
	return []Flag{
		{"as", "", true},
		{"as-group", "", true},
		{"as-uid", "", true},
		{"as-user-extra", "", true},
		{"cache-dir", "", true},
		{"certificate-authority", "", true},
		{"client-certificate", "", true},
		{"client-key", "", true},
		{"cluster", "", true},
		{"context", "", true},
		{"disable-compression", "", false},
		{"insecure-skip-tls-verify", "", false},
		{"kubeconfig", "", true},
		{"kuberc", "", true},
		{"log-flush-frequency", "", true},
		{"match-server-version", "", false},
		{"namespace", "n", true},
		{"password", "", true},
		{"profile", "", true},
		{"profile-output", "", true},
		{"request-timeout", "", true},
		{"server", "s", true},
		{"tls-server-name", "", true},
		{"token", "", true},
		{"user", "", true},
		{"username", "", true},
		{"v", "v", true},
		{"vmodule", "", true},
		{"warnings-as-errors", "", false},
	}
}
