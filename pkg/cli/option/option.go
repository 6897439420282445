// SPDX-License-Identifier: Apache-2.0

// Package option holds the flags that several commands share, in groups: each
// is a struct whose zero value is ready, with a method that registers its flags
// and one that turns what was given into an action's request.
package option

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// KubeVersionVariable is the environment variable that tells a module the
// version of Kubernetes where no cluster is asked.
const KubeVersionVariable = "TIMONI_KUBE_VERSION"

// Registry are the flags for reaching a registry.
type Registry = registryflag.Flags

// Selection are the flags that select a version of a module in a registry.
type Selection struct{ version, digest string }

// AddTo registers the flags.
func (s *Selection) AddTo(fs *pflag.FlagSet) {
	fs.StringVarP(&s.version, "version", "v", "", "`VERSION` of a module in a registry; default: that of the reference, or latest")
	fs.StringVarP(&s.digest, "digest", "d", "", "`DIGEST` that the module's manifest must have (sha256:…)")
}

// Reference parses a module reference and applies the selection to it.
func (s *Selection) Reference(typed string) (ref.Reference, error) {
	r, err := ref.Parse(typed)
	if err != nil {
		return ref.Reference{}, err
	}
	return r.Select(s.version, s.digest)
}

// Module are the flags of every command that renders a module: which version
// of it, from where, which package, with which values.
type Module struct {
	Registry  Registry
	Selection Selection
	Values    Values

	pkg         string
	limits      limits
	cueRegistry CUERegistry
	cache       RenderCache
}

// AddTo registers the flags.
func (m *Module) AddTo(fs *pflag.FlagSet) {
	m.Selection.AddTo(fs)
	m.Registry.AddTo(fs)
	m.Values.AddTo(fs)
	fs.StringVarP(&m.pkg, "package", "p", "main", "CUE `PACKAGE` of the module: main, or one in a subdirectory of that name")
	m.limits.addTo(fs)
	m.cueRegistry.AddTo(fs)
	m.cache.AddTo(fs)
	m.completeIn(fs)
}

// CUERegistry is the flag that allows to fetch what a module depends on from a
// registry of CUE.
type CUERegistry struct {
	// Process is where CUE's settings are read, nil for none.
	Process interface{ Getenv(string) string }

	allowed bool
}

// AddTo registers the flag.
func (c *CUERegistry) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&c.allowed, "allow-cue-registry", false,
		"fetch deps of module.cue that cue.mod lacks from the CUE registry ($CUE_REGISTRY)")
}

// Access returns how a module's deps are fetched, nil when they are not. CUE
// reads its settings and docker's credentials as its own command does.
func (c *CUERegistry) Access(userAgent string) *render.CUERegistry {
	if !c.allowed {
		return nil
	}
	r := &render.CUERegistry{Env: []string{}, UserAgent: userAgent}
	if c.Process == nil {
		return r
	}
	for _, name := range []string{
		"CUE_REGISTRY", "CUE_CACHE_DIR", "CUE_CONFIG_DIR", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "XDG_RUNTIME_DIR", "HOME", "USERPROFILE", "PATH",
	} {
		if value := c.Process.Getenv(name); value != "" {
			r.Env = append(r.Env, name+"="+value)
		}
	}
	return r
}

// Request returns the request to render module, as typed, as the instance name
// in namespace. Reading the values is all it does; the error has the exit code
// fail.Usage where the command line is wrong.
func (m *Module) Request(ctx context.Context, name, namespace, module string, stdin io.Reader, userAgent string) (build.Request, error) {
	if err := CheckName(name); err != nil {
		return build.Request{}, err
	}
	if err := m.limits.check(); err != nil {
		return build.Request{}, err
	}
	if err := CheckNamespace(namespace); err != nil {
		return build.Request{}, err
	}
	if m.cueRegistry.allowed && m.Registry.Offline() {
		return build.Request{}, fail.Usagef("--allow-cue-registry and --offline exclude each other")
	}
	reference, err := m.Selection.Reference(module)
	if err != nil {
		return build.Request{}, err
	}
	if m.Registry.ReadsStdin() && slices.Contains(m.Values.names(), "-") {
		return build.Request{}, fail.Usagef("--creds-stdin and -f - cannot both read the standard input")
	}
	options, err := m.Registry.Options(stdin, userAgent)
	if err != nil {
		return build.Request{}, err
	}
	sources, err := m.Values.Sources(ctx, stdin, userAgent)
	if err != nil {
		return build.Request{}, err
	}
	var cache *render.Cache
	if m.Registry.Process != nil {
		m.cueRegistry.Process = m.Registry.Process
		cache = m.cache.Cache(m.Registry.Process)
	}
	return build.Request{
		Module: reference, OCI: options, Package: m.pkg,
		Name: name, Namespace: namespace, Values: sources, Limits: m.limits.Limits,
		CUERegistry: m.cueRegistry.Access(userAgent), Advise: AdviseValue, Cache: cache,
	}, nil
}

// CheckName returns a usage error unless name can be the name of an instance.
func CheckName(name string) error {
	if err := api.CheckName(name); err != nil {
		return fail.Usagef("instance name %w", err)
	}
	return nil
}

// CheckNamespace returns a usage error unless namespace can be the name of a
// namespace.
func CheckNamespace(namespace string) error {
	if err := api.CheckNamespace(namespace); err != nil {
		return fail.Usagef("namespace %w", err)
	}
	return nil
}
