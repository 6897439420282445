// SPDX-License-Identifier: Apache-2.0

// Package krmcmd is the command line of the KRM function.
package krmcmd

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/moduleadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/function"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/intake"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

const long = `Render a Timoni module as part of a kustomization.

timoni-krm is a KRM function: kustomize starts it, writes a ResourceList to its
standard input and reads one with the module's objects from its standard output.
On the objects kustomize then works as on any others: namespace, namePrefix,
labels, images, replicas, patches and references by name.

    # kustomization.yaml
    generators:
    - app.yaml

    # app.yaml
    apiVersion: krm.timoni.sh/v1alpha1
    kind: Instance
    metadata:
      name: app                 # of the instance
      namespace: apps           # default: default
      annotations:
        config.kubernetes.io/function: "exec: {path: timoni-krm}"
    spec:
      module:
        url: oci://registry.example.com/modules/app
        version: 1.2.3          # default: latest
        digest: sha256:…        # what the manifest must have
      valuesFrom:
      - file: values.cue        # CUE, YAML or JSON
      values:                   # merged last: maps are merged, lists replaced,
        replicas: 2             # null takes a value away
      package: main             # of the module
      kubeVersion: "1.36.0"     # what the module is told
      output:
        stages: [app]           # only these
        hash: [ConfigMap]       # names get a hash, as configMapGenerator gives them
        origin: true            # an annotation that names the module
        onConflict: Replace     # or Keep or Fail: objects that are there already

    kustomize build --enable-alpha-plugins --enable-exec .

Without --enable-exec kustomize leaves every function out and says nothing: the
module's objects are then missing from the result. 'kubectl timoni kustomize'
builds the same with no flag, and leaves nothing out.

Listed under transformers: the function also sees the other objects. It replaces
those that the module renders too, and takes values from a ConfigMap:
valuesFrom: [{item: {name: app-values, key: values.yaml}}].

A Bundle is several instances in one config, a Vet checks objects by definitions
in CUE: 'timoni-krm schema' has their fields, docs/kustomize.md examples.

Paths are relative to the directory of kustomization.yaml. Files of values lie
below it; a module may also be a directory elsewhere in the same git repository
(url: file://../modules/app). No cluster is asked. Where the config names no
kubeVersion, the module is told that of TIMONI_KUBE_VERSION. A config may come
from a remote base: it reads only the environment variables in
TIMONI_KRM_ALLOW_ENV, and reaches only the registries in
TIMONI_KRM_ALLOW_INSECURE without a certificate. It decrypts files that SOPS
encrypted only where TIMONI_KRM_ALLOW_SOPS is 1.

    timoni-krm app.yaml < objects.yaml

Given a file, it reads the config from there, objects from its standard input,
and writes those and the module's to its standard output. This is also how
kubectl kustomize starts it, see 'timoni-krm install --help'; the result of
'kpt fn render' and 'kpt fn eval' is the same however often they run.

An unknown field in the config is an error, and every error makes the build
fail: exit code 1 when a Vet finds something, 5 when something is refused, 3
otherwise. Errors are printed to standard error and are also in the results of
the ResourceList. TIMONI_RENDER_TIMEOUT (such as 5m) and TIMONI_RENDER_MEMORY
(such as 4Gi) bound what a module may use up. What was rendered is kept in the
user's cache; TIMONI_RENDER_CACHE=off turns that off.`

// New returns the command: the function, or when the front door started it the
// verbs that it shares the binary with.
func New(env cli.Env) *cobra.Command {
	return cli.WithAdvice(newCommand(env), advisers()...)
}

// advisers say what the errors of what the binary links mean.
func advisers() []fail.Adviser { return []fail.Adviser{registryadvice.For, moduleadvice.For, advise} }

// advise is the adviser for the errors of the function and its installation.
func advise(err error) fail.Advice {
	switch err.(type) { //nolint:errorlint // an adviser looks at one error
	case *krm.NoListError:
		return fail.Advice{Hint: "this is a KRM function, which kustomize starts: see 'timoni-krm --help'"}
	case *function.NoConfigError:
		return fail.Advice{Hint: "see 'timoni-krm --help'"}
	case *intake.NoDefinitionError:
		return fail.Advice{Hint: "add --definition '#NAME'"}
	case *function.ForeignFileError:
		return fail.Advice{Hint: "move it away, or choose another directory with --dir"}
	}
	return fail.Advice{}
}

func newCommand(env cli.Env) *cobra.Command {
	function := newFunction(env)
	function.AddCommand(newInstall(env), newSchema(env), newExamine(env))
	if env.Verb == "timoni" {
		return cli.Group("timoni", "Use modules in KRM pipelines", function, newKustomize(env), newVet(env), newPin(env))
	}
	function.Use = "timoni-krm [CONFIG]"
	function.AddCommand(newKustomize(env), newVet(env), newPin(env))
	return function
}

func newFunction(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: "krm [CONFIG]", Short: "Render a module as a KRM function", Long: long,
		Args: cli.ArgsBetween(0, 1, "the file of a function config"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && isTerminal(env.Stdin) {
				return cmd.Help()
			}
			return run(cmd.Context(), env, cli.Operand(args, ""))
		},
	}
}

// configRoot is the variable in which kustomize names the root of the
// kustomization to a plugin of the old style, whose config is a temporary file.
const configRoot = "KUSTOMIZE_PLUGIN_CONFIG_ROOT"

// newRequest returns what all requests to the function have in common.
func newRequest(env cli.Env) (function.Request, error) {
	access, err := (&option.Registry{Process: env}).Options(env.Stdin, cli.UserAgent("krm"))
	return function.Request{
		OCI: access, Trust: trust(env), Cache: (&option.RenderCache{}).Cache(env),
		KubeVersion: env.Getenv(option.KubeVersionVariable),
		Explain:     func(err error) error { return fail.Advise(err, advisers()...) },
	}, err
}

func run(ctx context.Context, env cli.Env, config string) error {
	req, err := newRequest(env)
	if err != nil {
		return err
	}
	req.Input, req.Config = env.Stdin, config
	if env.Getenv(showNamespaces) != "" {
		req.Space = func(ns string) { _, _ = ui.Printf(env.Stderr, "namespace of an instance: %s\n", ns) }
	}
	if req.Limits, err = option.LimitsOf(env.Getenv); err != nil {
		if config != "" {
			return err
		}
		list, failed := krm.Failed(err)
		return errors.Join(list.Write(env.Stdout), failed)
	}
	if config != "" {
		req.Dir = env.Getenv(configRoot)
		if isTerminal(env.Stdin) {
			req.Input = strings.NewReader("") // users do not type objects
		}
	}
	list, err := function.Run(ctx, req, ui.Observer(env.Stderr, true))
	if err != nil && list.IsStream() {
		return err
	}
	return errors.Join(list.Write(env.Stdout), err)
}

// The variables with which a person lets function configs, which may be those
// of a remote base, do what they otherwise must not: lists with commas.
const (
	allowEnv      = "TIMONI_KRM_ALLOW_ENV"      // names of environment variables
	allowInsecure = "TIMONI_KRM_ALLOW_INSECURE" // registries: host or host:port
	allowSOPS     = "TIMONI_KRM_ALLOW_SOPS"     // 1: decrypt files with the user's keys
)

func trust(env cli.Env) krm.Trust {
	list := func(variable string) []string {
		return strings.FieldsFunc(env.Getenv(variable), func(r rune) bool { return r == ',' || r == ' ' })
	}
	t := krm.Trust{
		Env: list(allowEnv), Insecure: list(allowInsecure),
		CacheDir: env.CacheDir(), LookupEnv: env.LookupEnv,
	}
	if allowed, _ := strconv.ParseBool(env.Getenv(allowSOPS)); allowed {
		t.Decrypt = sops.Decrypt
	}
	return t
}

// showNamespaces is the variable with which 'apply -k' asks for the namespaces of
// instances.
const showNamespaces = "TIMONI_KRM_SHOW_NAMESPACES"

// isTerminal says whether a person types what is read here, who would wait for
// an answer as the function waits for its input.
func isTerminal(r io.Reader) bool {
	file, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
