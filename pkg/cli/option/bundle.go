// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Files are the flags that name bundle or runtime files.
type Files struct {
	names   []string
	private bool
	workdir string
	pulled  []*source.Module
}

// AddTo registers the flags. what says what the files are.
func (f *Files) AddTo(fs *pflag.FlagSet, what string) {
	fs.StringArrayVarP(&f.names, "file", "f", nil,
		what+" `FILE` in CUE, YAML or JSON, directory, artifact oci://HOST/PATH:VERSION, https URL, or - for stdin; may be repeated, they are unified")
	fs.BoolVar(&f.private, "allow-private-address", false, "allow a URL to lead to this machine or into a private network")
	fs.StringVar(&f.workdir, "workdir", "", "resolve imports in the CUE module at or above `DIR`; default: that at or above the file")
}

// Given says whether a file is named.
func (f *Files) Given() bool { return len(f.names) > 0 }

// ReadsStdin says whether one of the files is the standard input.
func (f *Files) ReadsStdin() bool { return slices.Contains(f.names, "-") }

// Reading says where files are read from, other than the disk.
type Reading struct {
	Stdin     io.Reader
	UserAgent string
	OCI       oci.Options
	Observer  event.Observer // of what is pulled
}

// Read reads the files that are named: at least one.
func (f *Files) Read(ctx context.Context, from Reading) ([]cuefile.File, error) {
	if len(f.names) == 0 {
		return nil, fail.Usagef("no file is named: give -f FILE")
	}
	return f.read(ctx, f.names, from)
}

// Download returns how a URL of the command line is downloaded.
func (f *Files) Download(userAgent string) download.Options {
	return download.Options{AllowPrivate: f.private, UserAgent: userAgent}
}

// Close removes the content of the artifacts that were read.
func (f *Files) Close() error {
	var errs []error
	for _, m := range f.pulled {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

func (f *Files) read(ctx context.Context, names []string, from Reading) ([]cuefile.File, error) {
	if f.workdir != "" {
		if info, err := os.Stat(f.workdir); err != nil || !info.IsDir() {
			return nil, fail.Usagef("--workdir %s: is not a directory", f.workdir)
		}
	}
	files, err := filesOf(names)
	if err != nil {
		return nil, err
	}
	return bundle.ReadFiles(ctx, files, bundle.Inputs{
		Stdin: from.Stdin, Download: f.Download(from.UserAgent), Decrypt: sops.Decrypt, Workdir: f.workdir,
		Pull: func(ctx context.Context, reference string) (dir, name string, err error) {
			return f.pull(ctx, reference, from)
		},
	})
}

// pull puts the content of an artifact on disk until Close.
func (f *Files) pull(ctx context.Context, reference string, from Reading) (dir, name string, err error) {
	r, err := ref.ParseRanged(reference)
	if err != nil {
		return "", "", err
	}
	options := source.Options{OCI: from.OCI, Observer: from.Observer}
	if r, err = source.Resolve(ctx, r, options); err != nil {
		return "", "", err
	}
	m, err := source.OpenArtifact(ctx, r, options)
	if err != nil {
		return "", "", err
	}
	f.pulled = append(f.pulled, m)
	return m.Dir, r.String(), nil
}

// Runtime are the flags that say which values a bundle gets, and on which
// clusters.
type Runtime struct {
	Files    []string
	Clusters []string
	Groups   []string

	env []string
}

// AddTo registers the flags.
func (r *Runtime) AddTo(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&r.Files, "runtime", "r", nil, "runtime `FILE` with clusters and queries for values, as -f takes them; may be repeated")
	r.AddClustersTo(fs)
	fs.StringArrayVar(&r.env, "runtime-from-env", nil,
		"take values from the environment: all variables, or with =`NAME` this one; =NAME=VALUE gives a value itself; may be repeated")
	fs.Lookup("runtime-from-env").NoOptDefVal = allVariables
}

// AddClustersTo registers the flags that select clusters alone.
func (r *Runtime) AddClustersTo(fs *pflag.FlagSet) {
	fs.StringSliceVar(&r.Clusters, "runtime-cluster", nil, "`NAMES` of the clusters in the runtime to use; default: all")
	fs.StringSliceVar(&r.Groups, "runtime-group", nil, "`NAMES` of the groups of clusters in the runtime to use; default: all")
}

// allVariables is what --runtime-from-env without a name stands for.
const allVariables = "*"

// Env returns the values that come from the environment and the command line.
func (r *Runtime) Env(environ func() []string) (bundle.Runtime, error) {
	values := bundle.Runtime{}
	all := map[string]string{}
	for _, variable := range environ() {
		name, value, _ := strings.Cut(variable, "=")
		all[name] = value
	}
	for _, arg := range r.env {
		name, value, given := strings.Cut(arg, "=")
		switch inherited, isSet := all[name]; {
		case arg == allVariables || arg == "true": // Timoni's flag is a bool
			maps.Copy(values, all)
		case arg == "false":
		case name == "":
			return nil, fail.Usagef("--runtime-from-env=%s: expected NAME or NAME=VALUE", arg)
		case given:
			values[name] = value
		case !isSet:
			return nil, fail.Usagef("--runtime-from-env=%s: the environment has no variable of this name", arg)
		default:
			values[name] = inherited
		}
	}
	return values, nil
}

// Read reads the runtime files, nil when none is named, and selects clusters.
// files are the flags about the files of the bundle, which are about these, too.
func (r *Runtime) Read(ctx context.Context, files *Files, from Reading) (*bundle.Definition, error) {
	if len(r.Files) == 0 {
		if len(r.Clusters)+len(r.Groups) > 0 {
			return nil, fail.Usagef("--runtime-cluster and --runtime-group select clusters of a runtime: give --runtime FILE")
		}
		return nil, nil
	}
	read, err := files.read(ctx, r.Files, from)
	if err != nil {
		return nil, err
	}
	return r.Define(read)
}

// Define evaluates runtime files, and selects clusters.
func (r *Runtime) Define(files []cuefile.File) (*bundle.Definition, error) {
	d, err := bundle.ReadDefinition(files)
	if err != nil {
		return nil, err
	}
	d.Clusters, err = d.Select(r.Clusters, r.Groups)
	return d, err
}

// Bundle are the flags of every command that renders the instances of a bundle.
type Bundle struct {
	Files    Files
	Runtime  Runtime
	Registry Registry
	Names    []string // of the instances that are selected

	limits      limits
	cueRegistry CUERegistry
	cache       RenderCache
}

// AddTo registers the flags.
func (b *Bundle) AddTo(fs *pflag.FlagSet) {
	b.Files.AddTo(fs, "bundle")
	b.Runtime.AddTo(fs)
	fs.StringSliceVar(&b.Names, "select", nil, "`NAMES` of the instances to use; default: all")
	b.Registry.AddTo(fs)
	b.limits.addTo(fs)
	b.cueRegistry.AddTo(fs)
	b.cache.AddTo(fs)
}

// Request returns what the requests for all instances have in common.
func (b *Bundle) Request(stdin io.Reader, userAgent string) (build.Request, error) {
	if err := b.limits.check(); err != nil {
		return build.Request{}, err
	}
	if b.cueRegistry.allowed && b.Registry.Offline() {
		return build.Request{}, fail.Usagef("--allow-cue-registry and --offline exclude each other")
	}
	if b.Registry.ReadsStdin() && b.Files.ReadsStdin() {
		return build.Request{}, fail.Usagef("--creds-stdin and -f - cannot both read the standard input")
	}
	if b.Registry.ReadsStdin() && slices.Contains(b.Runtime.Files, "-") {
		return build.Request{}, fail.Usagef("--creds-stdin and --runtime - cannot both read the standard input")
	}
	options, err := b.Registry.Options(stdin, userAgent)
	if err != nil {
		return build.Request{}, err
	}
	var cache *render.Cache
	if b.Registry.Process != nil {
		cache = b.cache.Cache(b.Registry.Process)
		b.cueRegistry.Process = b.Registry.Process
	}
	return build.Request{OCI: options, Limits: b.limits.Limits, CUERegistry: b.cueRegistry.Access(userAgent), Cache: cache}, nil
}

// Read reads the files and the runtime.
func (b *Bundle) Read(ctx context.Context, from Reading) ([]cuefile.File, *bundle.Definition, error) {
	if slices.Contains(b.Files.names, "-") && slices.Contains(b.Runtime.Files, "-") {
		return nil, nil, fail.Usagef("-f - and --runtime - cannot both read the standard input")
	}
	files, err := b.Files.Read(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	d, err := b.Runtime.Read(ctx, &b.Files, from)
	return files, d, err
}
