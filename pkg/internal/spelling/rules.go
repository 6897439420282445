// SPDX-License-Identifier: Apache-2.0

package spelling

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// The annotations that flags of Flux stand for.
const (
	sourceKey   = "org.opencontainers.image.source"
	revisionKey = "org.opencontainers.image.revision"
)

// line returns the words of a command line.
func line(text string) []string { return strings.Fields(text) }

// rename gives a flag our name. A command that has no such flag has no use for
// it.
func rename(to string) rule {
	return func(r *rewriting, a arg) ([]arg, error) {
		if _, known := r.cmd.Flag(to); !known {
			return nil, nil
		}
		if !a.given {
			return []arg{{flag: to, typed: []string{"--" + to}}}, nil
		}
		return []arg{own(to, a.value)}, nil
	}
}

// drop leaves a flag out.
func drop(*rewriting, arg) ([]arg, error) { return nil, nil }

// expand puts a flag with a value in place of a switch.
func expand(name, value string) rule {
	return func(_ *rewriting, a arg) ([]arg, error) {
		on, err := a.isOn()
		if err != nil || !on {
			return nil, err
		}
		return []arg{own(name, value)}, nil
	}
}

// isOn returns what a switch says.
func (a arg) isOn() (bool, error) {
	if !a.given {
		return true, nil
	}
	on, err := strconv.ParseBool(a.value)
	if err != nil {
		return false, fail.Usagef("--%s=%s: want true or false", a.flag, a.value)
	}
	return on, nil
}

// operand makes an operand of a flag's value. It follows those that are typed.
func operand(r *rewriting, a arg) ([]arg, error) {
	if strings.HasPrefix(a.value, "-") && a.value != "-" {
		return nil, fail.Usagef("flag needs an argument: %s", strings.Join(a.typed, " "))
	}
	r.tail = append(r.tail, arg{value: a.value, typed: []string{a.value}})
	return nil, nil
}

// annotate makes an annotation of a flag.
func annotate(key string) rule {
	return func(_ *rewriting, a arg) ([]arg, error) { return []arg{own("annotation", key+"="+a.value)}, nil }
}

// version refuses what kubectl takes for a level of verbosity (docs/design.md,
// decision 15).
func version(r *rewriting, a arg) ([]arg, error) {
	_, selects := r.cmd.Flag("v")
	_, notALevel := strconv.Atoi(a.value)
	switch {
	case selects && !a.given:
		return nil, fail.Usagef("flag needs an argument: -v")
	case !selects:
		return nil, fail.Usagef("-v: it selects a version, which '%s' does not take; verbosity levels are not supported", r.path)
	case notALevel == nil:
		return nil, fail.Hint(fail.Usagef("-v %s: -v is a version; verbosity levels are not supported", a.value), "a version of a module is written as 1.2.3")
	}
	return []arg{a}, nil
}

// timeout bounds the command, unless it has a narrower flag.
func timeout(r *rewriting, a arg) ([]arg, error) {
	const ofRendering = "render-timeout"
	if _, known := r.cmd.Flag(ofRendering); known {
		return []arg{own(ofRendering, a.value)}, nil
	}
	limit, err := time.ParseDuration(a.value)
	if err != nil || limit < 0 {
		return nil, fail.Usagef("--timeout=%s: want a time such as 90s, or 0 for no limit", a.value)
	}
	r.line.Timeout = limit
	return nil, nil
}

const cacheVariable = "TIMONI_CACHE_DIR"

func noCacheDir(_ *rewriting, a arg) ([]arg, error) {
	err := fail.Usagef("--cache-dir=%s: kubectl's flag of this name, the discovery cache, and Timoni's, the cache of modules, cannot be told apart here", a.value)
	return nil, fail.Hint(err, "set %s for modules, KUBECACHEDIR for discovery", cacheVariable)
}

func cacheDir(r *rewriting, a arg) ([]arg, error) {
	r.line.Env[cacheVariable] = a.value
	return nil, nil
}

func dryRun(_ *rewriting, a arg) ([]arg, error) {
	if on, err := a.isOn(); err == nil && on {
		return []arg{own("dry-run", "server")}, nil
	} else if err == nil {
		return nil, nil
	}
	return []arg{own("dry-run", a.value)}, nil
}

// isFormat says whether the value of -o is one of its formats.
func isFormat(a arg, formats ...string) bool { return !a.given || slices.Contains(formats, a.value) }

// outputDir takes -o DIR for an operand. Into a directory that is not empty,
// Timoni pulls an artifact over what is there.
func outputDir(r *rewriting, a arg) ([]arg, error) {
	if isFormat(a, "json", "yaml") {
		return []arg{a}, nil
	}
	if _, err := operand(r, a); err != nil || r.path != "artifact pull" {
		return nil, err
	}
	return []arg{own("overwrite", "true")}, nil
}

// outputFile takes -o FILE for an operand, an archive whatever its name is.
func outputFile(r *rewriting, a arg) ([]arg, error) {
	if isFormat(a, "json", "yaml") {
		return []arg{a}, nil
	}
	if _, err := operand(r, a); err != nil || r.has("format", "layout") {
		return nil, err
	}
	return []arg{own("layout", "archive")}, nil
}

// layoutOf takes for the form of the output what is no format of an artifact.
func layoutOf(_ *rewriting, a arg) ([]arg, error) {
	forms := map[string]string{"oci-archive": "archive", "oci-layout": "directory"}
	if form, ok := forms[a.value]; ok {
		return []arg{own("layout", form)}, nil
	}
	return []arg{a}, nil
}

// configFile takes -o FILE for the file to write the table into.
func configFile(_ *rewriting, a arg) ([]arg, error) {
	if isFormat(a, "cue", "markdown", "json-schema", "json", "yaml") {
		return []arg{a}, nil
	}
	return []arg{own("readme-file", a.value)}, nil
}

// provider is the only one of signatures. A key in a file of that name is typed
// as ./cosign.
const provider = "cosign"

func sign(r *rewriting, a arg) ([]arg, error) {
	switch {
	case a.value != provider:
		return []arg{a}, nil
	case r.has("cosign-key"):
		return nil, nil
	}
	return nil, fail.Hint(fail.Usagef("--sign=cosign: the key is missing"),
		"give the key with --sign KEY, or push without --sign and then use 'kubectl timoni artifact sign --sign-keyless'")
}

func verify(r *rewriting, a arg) ([]arg, error) {
	switch {
	case a.value != provider:
		return nil, fail.Usagef("--verify=%s: only %s signatures are verified", a.value, provider)
	case r.has("cosign-key", "key", "policy") || slices.ContainsFunc(r.args, func(a arg) bool { return strings.HasPrefix(a.flag, "certificate-") }):
		return nil, nil
	}
	return nil, fail.Usagef("--verify=cosign: who must have signed is missing: --cosign-key FILE or --certificate-identity SUBJECT")
}

// fluxPath is what 'flux push artifact' packs: an artifact for Flux.
func fluxPath(r *rewriting, a arg) ([]arg, error) {
	args := []arg{own("filename", a.value)}
	if !r.has("format") {
		args = append(args, own("format", "flux"))
	}
	return args, nil
}
