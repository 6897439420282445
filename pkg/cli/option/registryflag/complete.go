// SPDX-License-Identifier: Apache-2.0

package registryflag

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// ociScheme begins the reference of what is in a registry.
const ociScheme = "oci://"

// listedFor is how long completion takes the versions of a repository from the
// cache without asking.
const listedFor = 5 * time.Minute

// Versions completes the version of the artifact in a registry that is the last
// operand.
func (r *Flags) Versions(ctx context.Context, args []string, _ string) []string {
	if len(args) == 0 {
		return nil
	}
	return r.versions(ctx, args[len(args)-1])
}

func (r *Flags) versions(ctx context.Context, operand string) []string {
	reference, err := ref.Parse(operand)
	if err != nil || reference.IsLocal() || r.credsStdin {
		return nil
	}
	options, err := r.Options(nil, "kubectl-timoni-completion")
	if err != nil {
		return nil
	}
	known, age := options.Cache.Versions(reference.Source())
	if options.Offline || known != nil && age < listedFor {
		return known
	}
	found, err := oci.List(ctx, reference, oci.ListOptions{Options: options, Versions: true})
	if err != nil {
		return known
	}
	var versions []string
	for _, t := range found {
		versions = append(versions, t.Tag)
	}
	options.Cache.KeepVersions(reference.Source(), versions)
	return versions
}

// References completes the reference of an artifact in a registry: repositories
// that are in the cache, and after a colon the versions of any.
func (r *Flags) References(ctx context.Context, _ []string, typed string) []string {
	rest, isOCI := strings.CutPrefix(typed, ociScheme)
	if !isOCI {
		return []string{ociScheme}
	}
	var words []string
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") && strings.Contains(rest, "/") {
		repository := typed[:len(ociScheme)+i]
		for _, version := range r.versions(ctx, repository) {
			words = append(words, repository+":"+version)
		}
		return words
	}
	options, err := r.Options(nil, "")
	if err != nil || r.credsStdin {
		return nil
	}
	entries, _ := options.Cache.List()
	for _, e := range entries {
		if reference, err := ref.Parse(e.Reference); err == nil {
			words = append(words, reference.Source())
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// Modules completes a module: a directory or a reference.
func (r *Flags) Modules(ctx context.Context, args []string, typed string) []string {
	if typed != "" && (strings.HasPrefix(typed, ociScheme) || strings.HasPrefix(ociScheme, typed)) {
		return r.References(ctx, args, typed)
	}
	return complete.Directories(ctx, args, typed)
}

// Child returns command line flags for a child process that say the same, and
// the variables that say it of credentials.
func (r *Flags) Child() (args, environ []string) {
	add := func(name, value string) {
		if value != "" {
			args = append(args, "--"+name+"="+value)
		}
	}
	add("policy", r.policy)
	add("registry-ca", r.ca)
	for _, host := range r.authHosts {
		add("auth-host", host)
	}
	if r.insecure {
		args = append(args, "--insecure-registry")
	}
	if r.offline {
		args = append(args, "--offline")
	}
	if r.creds != "" {
		environ = append(environ, credsVariable+"="+r.creds)
	}
	return args, environ
}
