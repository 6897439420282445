// SPDX-License-Identifier: Apache-2.0

package registryflag_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// process is what a test says of the process.
type process map[string]string

func (p process) Getenv(key string) string { return p[key] }
func (p process) CacheDir() string         { return p["cache"] }
func (p process) BuildID() string          { return p["build"] }
func (p process) ConfigFile(string) string { return p["config"] }
func (p process) Places() plugins.Places   { return plugins.Places{} }

func TestFlags(t *testing.T) {
	t.Parallel()
	env := process{"TIMONI_REGISTRY_CREDS": "env:e", "TIMONI_REGISTRY_MIRRORS": "a=b", "cache": "/c", "config": "conf"}
	common := oci.Options{Access: session.Access{Mirrors: mirror.Mirrors{Pairs: "a=b", File: "conf"}, UserAgent: "agent"}, Cache: cache.Cache{Dir: "/c"}}
	with := func(change func(*oci.Options)) oci.Options {
		o := common
		change(&o)
		return o
	}
	for name, test := range map[string]struct {
		args  []string
		stdin string
		want  oci.Options
		text  string
	}{
		"environment": {want: with(func(o *oci.Options) { o.Creds = "env:e" })},
		"creds":       {args: []string{"--creds=u:p"}, want: with(func(o *oci.Options) { o.Creds = "u:p" })},
		"stdin":       {args: []string{"--creds-stdin"}, stdin: "u:p\n", want: with(func(o *oci.Options) { o.Creds = "u:p" })},
		"the rest": {args: []string{"--offline", "--registry-ca=ca", "--insecure-registry", "--auth-host=a", "--auth-host=b:1"}, want: with(func(o *oci.Options) {
			o.AuthHosts = []string{"a", "b:1"}
			o.Creds, o.Offline, o.CAFile, o.Insecure = "env:e", true, "ca", true
		})},
		"both":        {args: []string{"--creds=u:p", "--creds-stdin"}, text: "exclude each other"},
		"empty stdin": {args: []string{"--creds-stdin"}, text: "the standard input is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, fs := registryflag.Flags{Process: env}, pflag.NewFlagSet("", pflag.ContinueOnError)
			flags.AddTo(fs)
			if err := fs.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			got, err := flags.Options(strings.NewReader(test.stdin), "agent")
			if test.text != "" {
				if err == nil || !strings.Contains(err.Error(), test.text) || fail.CodeOf(err) != fail.Usage {
					t.Errorf("error %v, want one with %q", err, test.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(oci.Options{}, cache.Cache{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Which policy file counts, and that one which cannot be reached is no reason
// to do without.
func TestPolicyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := fixture.Write(t, filepath.Join(dir, "policy.yaml"), "")
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip(err)
	}
	const variable = "TIMONI_POLICY"
	for name, test := range map[string]struct {
		args []string
		env  process
		want string
	}{
		"none":            {env: process{"config": filepath.Join(dir, "nowhere", "policy.yaml")}},
		"no directory":    {env: process{}},
		"below a file":    {env: process{"config": filepath.Join(there, "policy.yaml")}},
		"among settings":  {env: process{"config": there}, want: there},
		"out of reach":    {env: process{"config": filepath.Join(loop, "policy.yaml")}, want: filepath.Join(loop, "policy.yaml")},
		"environment":     {env: process{"config": there, variable: "other.yaml"}, want: "other.yaml"},
		"empty variable":  {env: process{"config": there, variable: ""}, want: there},
		"flag":            {args: []string{"--policy=flag.yaml"}, env: process{"config": there, variable: "other.yaml"}, want: "flag.yaml"},
		"without process": {args: []string{"--policy=flag.yaml"}, want: "flag.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, fs := registryflag.Flags{}, pflag.NewFlagSet("", pflag.ContinueOnError)
			if test.env != nil {
				flags.Process = test.env
			}
			flags.AddTo(fs)
			if err := fs.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			if got := flags.PolicyFile(); got != test.want {
				t.Errorf("policy file %q, want %q", got, test.want)
			}
			if o, err := flags.Options(nil, ""); err != nil || (o.Verifier != nil) != (test.want != "") {
				t.Errorf("a verifier: %v, %v", o.Verifier, err)
			}
		})
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want map[string]string
	}{
		"none":         {nil, map[string]string{}},
		"two":          {[]string{"-a", "a=b=c,d", "--annotation=e="}, map[string]string{"a": "b=c,d", "e": ""}},
		"not a pair":   {[]string{"-a", "a"}, nil},
		"without name": {[]string{"-a", "=a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a registryflag.Annotations
			fs := pflag.NewFlagSet("", pflag.ContinueOnError)
			a.AddTo(fs)
			if err := fs.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			got, err := a.Map()
			if (err != nil) != (test.want == nil) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
