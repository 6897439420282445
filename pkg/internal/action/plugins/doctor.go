// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is the outcome of a check.
type Status string

// The outcomes of a check.
const (
	OK   Status = "ok"
	Warn Status = "warn" // some commands lack something
	Fail Status = "fail" // something that is needed is missing or broken
)

// Check is one finding of the doctor's.
type Check struct {
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// Examination is what the doctor looks at.
type Examination struct {
	Inquiry
	Getenv      func(string) string
	KubectlArgs []string // kubectl's flags, for the question whether the cluster answers
}

// Checks examines the machine and returns the findings, in a fixed order. It
// changes nothing, and a secret that it reads is in none of the findings.
func (x Examination) Checks(ctx context.Context) []Check {
	checks := []func(context.Context) []Check{
		x.siblings, x.kubectl, x.cluster, x.kustomize, x.credentials, x.path,
	}
	found := make([][]Check, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { found[i] = check(ctx) })
	}
	wg.Wait()
	return slices.Concat(found...)
}

// siblings checks that the binaries are there and belong together. Those that
// everybody needs must be; for the others their verbs are missing.
func (x Examination) siblings(ctx context.Context) []Check {
	needed := []string{"kubectl-timoni-build", "kubectl-timoni-apply", "kubectl-timoni-instance"}
	var checks []Check
	for _, b := range x.Binaries(ctx) {
		c := Check{Name: b.Name, Status: OK, Message: b.Version}
		verbs := strings.Join(verbsOf(b.Name), ", ")
		switch {
		case errors.Is(b.err, ErrNotInstalled):
			c.Status = Warn
			if slices.Contains(needed, b.Name) {
				c.Status = Fail
			}
			c.Message = "not installed: without it there is no " + verbs
			c.Hint = fmt.Sprintf("install all binaries again, or put %s %s next to %s", b.Name, x.Own.Version, FrontDoor)
		case b.Problem != "":
			c.Status, c.Message = Fail, fmt.Sprintf("%s %s", b.Path, b.Problem)
			c.Hint = fmt.Sprintf("install all binaries of version %s again: this binary has the verbs %s", x.Own.Version, verbs)
		}
		checks = append(checks, c)
	}
	return checks
}

// kubectlVersion is what 'kubectl version -o json' prints.
type kubectlVersion struct {
	Client kubeVersion `json:"clientVersion"`
	Server kubeVersion `json:"serverVersion"`
}

type kubeVersion struct {
	Major string `json:"major"`
	Minor string `json:"minor"`
	Git   string `json:"gitVersion"`
}

func (x Examination) kubectl(ctx context.Context) []Check {
	c := Check{Name: "kubectl", Status: Fail}
	path, ok := x.Places.onPath("kubectl")
	if !ok {
		c.Message = "not on PATH: there is no 'kubectl timoni', only 'kubectl-timoni'"
		c.Hint = "install kubectl 1.30 or newer: https://kubernetes.io/docs/tasks/tools/"
		return []Check{c}
	}
	v, err := x.askKubectl(ctx, path, "version", "--client")
	switch {
	case err != nil:
		c.Message = fmt.Sprintf("%s does not tell its version: %v", path, err)
	case older(v.Client, 1, 30):
		c.Status, c.Message = Warn, v.Client.Git+" is too old: this plugin is made for 1.30 and newer"
		c.Hint = "install kubectl 1.30 or newer: https://kubernetes.io/docs/tasks/tools/"
	default:
		c.Status, c.Message = OK, v.Client.Git
	}
	return []Check{c}
}

// cluster checks that the cluster answers and lets the records be read. No
// cluster is no failure: build and the KRM function need none.
func (x Examination) cluster(ctx context.Context) []Check {
	path, ok := x.Places.onPath("kubectl")
	if !ok {
		return nil // said by the check of kubectl
	}
	c := Check{Name: "cluster", Status: Warn}
	v, err := x.askKubectl(ctx, path, "version")
	if err != nil || v.Server.Git == "" {
		c.Message = "no answer: apply, list and all that asks the cluster will fail, build works"
		if err != nil {
			c.Message += fmt.Sprintf(" (%v)", err)
		}
		c.Hint = "choose a cluster with --context or --kubeconfig, and see 'kubectl cluster-info'"
		return []Check{c}
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	argv := slices.Concat([]string{path, "auth", "can-i", "list", "secrets"}, x.KubectlArgs)
	if out, _ := run(ctx, x.Environ, path, argv...); strings.TrimSpace(string(out)) != "yes" {
		c.Message = v.Server.Git + ", but you may not list Secrets, which hold the records of instances"
		c.Hint = "ask for a role that grants get, list, watch, create, patch and delete on secrets, or choose a namespace with -n"
		return []Check{c}
	}
	c.Status, c.Message = OK, v.Server.Git
	return []Check{c}
}

// askKubectl runs a form of kubectl version.
func (x Examination) askKubectl(ctx context.Context, path string, words ...string) (v kubectlVersion, err error) {
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	argv := slices.Concat([]string{path}, words, x.KubectlArgs, []string{"-o", "json"})
	out, err := run(ctx, x.Environ, path, argv...)
	if err != nil {
		return v, err
	}
	err = json.Unmarshal(out, &v)
	return v, err
}

func older(v kubeVersion, major, minor int) bool {
	var haveMajor, haveMinor int
	if _, err := fmt.Sscanf(v.Major+"."+v.Minor, "%d.%d", &haveMajor, &haveMinor); err != nil {
		return false // a build without a version is a developer's
	}
	return haveMajor < major || haveMajor == major && haveMinor < minor
}

func (x Examination) kustomize(ctx context.Context) []Check {
	checks, _ := x.kustomizeVersion(ctx)
	return checks
}

// kustomizeVersion checks the kustomize on PATH, and returns its version if it
// tells one.
func (x Examination) kustomizeVersion(ctx context.Context) (checks []Check, v kubeVersion) {
	c := Check{Name: "kustomize", Status: Warn}
	path, ok := x.Places.onPath("kustomize")
	if !ok {
		c.Message = "not on PATH: needed only for modules inside 'kustomize build'"
		c.Hint = "install kustomize 5 (https://kubectl.docs.kubernetes.io/installation/kustomize/), or use 'kubectl timoni kustomize'"
		return []Check{c}, v
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	out, err := run(ctx, x.Environ, path, path, "version")
	if err != nil {
		c.Message = fmt.Sprintf("%s does not tell its version: %v", path, err)
		return []Check{c}, v
	}
	v.Git = strings.TrimSpace(string(out))
	if numbers := strings.SplitN(strings.TrimPrefix(v.Git, "v"), ".", 3); len(numbers) == 3 {
		v.Major, v.Minor = numbers[0], numbers[1]
	}
	c.Status = OK
	// Without the second flag kustomize leaves functions out and succeeds.
	c.Message = v.Git + "; build with both --enable-alpha-plugins and --enable-exec"
	return []Check{c}, v
}

// DefaultTimeout is how long the doctor and version wait for another program:
// longer than one takes on a busy machine, as it is only for those that hang.
const DefaultTimeout = time.Minute
