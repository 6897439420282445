// SPDX-License-Identifier: Apache-2.0

// Package registryflag holds the flags about registries. It is apart from package
// option because the commands on artifacts do without CUE.
package registryflag

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// The environment variables about registries.
const (
	// credsVariable holds USER:PASSWORD, for which --creds stands in.
	credsVariable = "TIMONI_REGISTRY_CREDS"
	// mirrorsVariable holds PREFIX=PREFIX pairs, as oci.Mirrors.Pairs does.
	mirrorsVariable = "TIMONI_REGISTRY_MIRRORS"
	// policyVariable holds the path of a policy file, for which --policy
	// stands in.
	policyVariable = "TIMONI_POLICY"
	// configVariable names a file to read instead of configFile.
	configVariable = "TIMONI_REGISTRY_CONFIG"
)

// configFile is the file with mirrors and token servers in the directory of the user's settings.
const configFile = "registries.yaml"

// Process is what the flags about registries take from the process: cli.Env.
type Process interface {
	Getenv(key string) string
	CacheDir() string
	BuildID() string
	ConfigFile(name string) string
	Places() plugins.Places
}

// Flags are the flags for reaching a registry.
type Flags struct {
	Process Process // nil: no cache, nothing from the environment
	// Keyless checks signatures that were made without a key, nil to leave that
	// to the binary that can.
	Keyless source.Keyless

	policy     string
	creds      string
	credsStdin bool
	authHosts  []string
	ca         string
	insecure   bool
	offline    bool
}

// AddTo registers the flags of a command that reads from a registry.
func (r *Flags) AddTo(fs *pflag.FlagSet) {
	r.AddAccessTo(fs)
	fs.BoolVar(&r.offline, "offline", false, "use the cache only, never a registry")
	fs.StringVar(&r.policy, "policy", "", "policy `FILE`: who must have signed which artifacts; default: $"+policyVariable)
}

// AddAccessTo registers the flags of a command that cannot do without one.
func (r *Flags) AddAccessTo(fs *pflag.FlagSet) {
	fs.StringVar(&r.creds, "creds", "", "registry credentials as `USER:PASSWORD`; default: docker's configuration")
	fs.BoolVar(&r.credsStdin, "creds-stdin", false, "read USER:PASSWORD from stdin, so that other users do not see it")
	AddAuthHostsTo(fs, &r.authHosts)
	fs.StringVar(&r.ca, "registry-ca", "", "`FILE` with CA certificates (PEM) of the registry")
	fs.BoolVar(&r.insecure, "insecure-registry", false, "allow HTTP and unverified TLS")
}

// Offline says whether no registry may be asked.
func (r *Flags) Offline() bool { return r.offline }

// ReadsStdin says whether Options takes the standard input for itself.
func (r *Flags) ReadsStdin() bool { return r.credsStdin }

// readCreds reads what --creds-stdin asks for.
func (r *Flags) readCreds(stdin io.Reader) error {
	if !r.credsStdin {
		return nil
	}
	if r.creds != "" {
		return fail.Usagef("--creds and --creds-stdin exclude each other")
	}
	creds, err := ReadSecret(stdin)
	if err != nil {
		return fmt.Errorf("read the credentials: %w", err)
	}
	if creds == "" {
		return fail.Usagef("--creds-stdin: the standard input is empty")
	}
	r.creds = creds
	return nil
}

// ReadSecret returns one line of stdin, which may be the last one.
func ReadSecret(stdin io.Reader) (string, error) {
	const longest = 64 << 10 // tokens are long, but not that long
	data, err := io.ReadAll(io.LimitReader(stdin, longest))
	return strings.TrimRight(string(data), "\r\n"), err
}

// Options returns what the flags say; --creds-stdin is read from stdin. userAgent
// is sent with each request. The error has the exit code fail.Usage.
func (r *Flags) Options(stdin io.Reader, userAgent string) (oci.Options, error) {
	if err := r.readCreds(stdin); err != nil {
		return oci.Options{}, err
	}
	o := oci.Options{
		Access: session.Access{
			Creds: r.creds, Insecure: r.insecure, UserAgent: userAgent,
			CAFile: r.ca, AuthHosts: r.authHosts,
		},
		Offline: r.offline,
	}
	if file := r.PolicyFile(); file != "" {
		o.Verifier = source.Trust{File: file, Keyless: r.keyless()}
	}
	if r.Process == nil {
		return o, nil
	}
	if o.Creds == "" {
		o.Creds = r.Process.Getenv(credsVariable)
	}
	o.Mirrors = Mirrors(r.Process)
	o.Cache = cache.Open(r.Process.CacheDir())
	return o, nil
}

// AddAuthHostsTo registers the flag that names token servers.
func AddAuthHostsTo(fs *pflag.FlagSet, hosts *[]string) {
	fs.StringArrayVar(hosts, "auth-host", nil, "send the credentials to this token server, `HOST`, too; may be repeated")
}

// Mirrors returns what the environment and the user's settings say about
// registries.
func Mirrors(p Process) mirror.Mirrors {
	m := mirror.Mirrors{Pairs: p.Getenv(mirrorsVariable), File: p.Getenv(configVariable)}
	if m.Required = m.File != ""; !m.Required {
		m.File = p.ConfigFile(configFile)
	}
	return m
}

// PolicyFile returns the path of the policy file: that of the flag, of the
// environment, or policy.yaml among the user's settings where it exists. It is
// empty when there is none.
func (r *Flags) PolicyFile() string {
	if r.policy != "" || r.Process == nil {
		return r.policy
	}
	if file := r.Process.Getenv(policyVariable); file != "" {
		return file
	}
	file := r.Process.ConfigFile("policy.yaml")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return ""
	}
	return file // a policy that cannot be read is an error, not an absent one
}

func (r *Flags) keyless() source.Keyless {
	if r.Keyless != nil {
		return r.Keyless
	}
	return source.Sibling(func() (string, error) {
		if r.Process == nil {
			return "", plugins.ErrNotInstalled
		}
		return r.Process.Places().Find("kubectl-timoni-artifact")
	})
}

// Annotations are the flags that annotate what is pushed.
type Annotations struct{ pairs []string }

// AddTo registers the flags.
func (a *Annotations) AddTo(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&a.pairs, "annotation", "a", nil, "`KEY=VALUE` for the manifest; may be repeated")
}

// Map returns what was given. The error has the exit code fail.Usage.
func (a *Annotations) Map() (map[string]string, error) {
	m := map[string]string{}
	for _, pair := range a.pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fail.Usagef("annotation %q is not of the form KEY=VALUE", pair)
		}
		m[key] = value
	}
	return m, nil
}
