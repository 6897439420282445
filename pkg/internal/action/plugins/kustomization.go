// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
)

// KustomizationChecks examines the kustomization in a directory: what its
// functions need, and whether a build fails that leaves them out. The KRM
// function does the looking; it fetches nothing and runs nothing of others'.
func (x Examination) KustomizationChecks(ctx context.Context, dir string) ([]Check, *guard.Report, error) {
	program, err := x.Places.Find(Function)
	if err != nil {
		return nil, nil, err
	}
	report, said, err := x.examine(ctx, program, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("kustomization %q: %w", dir, err)
	}
	checks, version := x.kustomizeVersion(ctx)
	for _, f := range report.Functions {
		checks = append(checks, x.function(f, version))
	}
	if len(report.Unseen) > 0 {
		checks = append(checks, Check{
			Name: "not looked at", Status: Warn, Message: strings.Join(report.Unseen, ", "),
			Hint: "the doctor asks no network and runs no program of others",
		})
	}
	return append(checks, guarded(report, said, dir)...), report, nil
}

// examine asks the function for a report. What it said is the first error that
// a module has.
func (x Examination) examine(ctx context.Context, program, dir string) (report *guard.Report, said string, err error) {
	cmd := exec.CommandContext(ctx, program, guard.Verb, "--", dir)
	cmd.Env = x.Environ
	stdout, stderr, err := capture(cmd)
	hint := ""
	for line := range strings.Lines(string(stderr)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "error: "); ok && said == "" {
			said = text
		}
		if text, ok := strings.CutPrefix(line, "hint: "); ok && hint == "" {
			hint = text
		}
	}
	if err != nil && said != "" {
		err = errors.New(said)
		if hint != "" {
			err = fail.Hint(err, "%s", hint)
		}
	}
	if err != nil {
		return nil, said, err
	}
	report = &guard.Report{}
	return report, said, json.Unmarshal(stdout, report)
}

// function checks that kustomize, and kubectl where it can, runs a function.
func (x Examination) function(f guard.Function, version kubeVersion) Check {
	c := Check{Name: f.Kind + "/" + f.Name, Status: Fail, Hint: f.Hint}
	path, err := x.program(f)
	switch {
	case f.Problem != "":
		c.Message = f.Problem
	case f.Runs == guard.Plugin && err != nil:
		c.Message = fmt.Sprintf("it has no function annotation, and there is no plugin %s", f.Program)
		c.Hint = "install the plugin there, or annotate the config with the function"
		if f.Ours {
			c.Status = Warn
			c.Message += ": only 'kubectl timoni kustomize' builds it"
			c.Hint = `kubectl timoni krm install --kustomize-plugins, or the annotation config.kubernetes.io/function: "exec: {path: timoni-krm}"`
		}
	case err != nil:
		c.Message = fmt.Sprintf("exec.path: %v", err)
		if f.Program == Function {
			c.Hint = "kubectl timoni krm install"
		}
	case f.Arguments && f.Runs == guard.Exec && older(version, 5, 7):
		c.Message = fmt.Sprintf("args and envs are known since kustomize 5.7, and %s is on PATH", version.Git)
		c.Hint = "install a newer kustomize, or leave them out"
	default:
		c.Status, c.Message, c.Hint = OK, needs(f)+path, ""
	}
	c.Message = fmt.Sprintf("%s of %s: %s", f.Role, f.Kustomization, c.Message)
	return c
}

// needs says how a function is run.
func needs(f guard.Function) string {
	switch f.Runs {
	case guard.Exec:
		return "with --enable-alpha-plugins and --enable-exec kustomize runs "
	case guard.Container:
		return "with --enable-alpha-plugins kustomize and kubectl run the image "
	}
	return "with --enable-alpha-plugins kustomize and kubectl run "
}

// program returns what runs as the function, by kustomize's rules: a bare name
// is on PATH, a path relative to the root of the kustomization.
func (x Examination) program(f guard.Function) (string, error) {
	switch {
	case f.Runs == guard.Container || f.Problem != "":
		return f.Program, nil
	case f.Program == "":
		return "", errors.New("is missing: kustomize leaves the function out with any flag")
	case !strings.ContainsAny(f.Program, `/\`):
		if path, ok := x.Places.onPath(f.Program); ok {
			return path, nil
		}
		return "", fmt.Errorf("%q is not on PATH", f.Program)
	}
	path := f.Program
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.Root, path)
	}
	if found, ok := lookup(filepath.Dir(path), filepath.Base(path)); ok {
		return found, nil
	}
	return "", fmt.Errorf("%s is no program", path)
}

// guarded checks that no build succeeds without the functions.
func guarded(report *guard.Report, said, dir string) []Check {
	c := Check{Name: "guard", Status: Fail}
	without, complete := report.LeftOut.Error, report.Complete.Error
	some := func(is func(guard.Function) bool) bool { return slices.ContainsFunc(report.Functions, is) }
	others := some(func(f guard.Function) bool { return !f.Ours })
	unlike := len(report.Unseen) > 0 || some(func(f guard.Function) bool { return !f.Ours && !f.Skippable() })
	const half = "with --enable-alpha-plugins alone, in kustomize and kubectl, "
	switch {
	case without != "" && without == complete && !others && !unlike:
		c.Message = "it does not build, with functions or without: " + reason(complete, said)
	case !some(guard.Function.Skippable):
		c.Status, c.Message = OK, "no function can be left out in silence"
	case without != "" && complete != "" && unlike:
		c.Status, c.Message = Warn, half+"the build fails, but perhaps for what was not looked at or run here: "+without
	case without != "":
		c.Status, c.Message = OK, half+"the build fails, as it should: "+without
	case complete != "":
		c.Message = half + "the build succeeds without the functions"
		c.Hint = advice(report, dir)
	case report.Missing == 0 && report.Changed == 0:
		c.Status, c.Message = Warn, half+"the build succeeds, and what its functions check is not checked"
		c.Hint = "list it under validators: with emit: None, where kustomize fails without it, or build with 'kubectl timoni kustomize'"
	default:
		c.Message = half + fmt.Sprintf("the build succeeds, and %d of %d objects are missing", report.Missing, report.Complete.Objects)
		if report.Changed > 0 {
			c.Message += fmt.Sprintf(", %d others differ", report.Changed)
		}
		c.Hint = advice(report, dir)
	}
	checks := []Check{c}
	if complete != "" && complete != without {
		checks = append(checks, Check{
			Name: "build", Status: Warn, Message: "with its functions it does not build here: " + reason(complete, said),
			Hint: "the doctor takes modules from the cache and runs no function of others: build it once with 'kubectl timoni kustomize'",
		})
	}
	return checks
}

// reason prefers what the function said to what kustomize says of it.
func reason(kustomize, function string) string {
	if !strings.Contains(kustomize, "execute function") {
		return kustomize
	}
	return cmp.Or(function, kustomize)
}

// advice returns how to guard the kustomization in dir.
func advice(report *guard.Report, dir string) string {
	patch := report.Guard
	if patch == nil {
		return "build with 'kubectl timoni kustomize', or name an object of the module's in a patch without a target: where it is missing, the build fails"
	}
	text := fmt.Sprintf("add this to the kustomization.yaml in %s; it changes nothing, and fails where the object is missing:\n%s", dir, patch.Kustomization)
	if patch.File != "" {
		text += fmt.Sprintf("and %s:\n%s", filepath.Join(dir, patch.File), patch.Content)
	}
	return strings.TrimSuffix(text, "\n")
}
