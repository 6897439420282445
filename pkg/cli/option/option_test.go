// SPDX-License-Identifier: Apache-2.0

package option_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

func TestModule(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0", 64)
	var m option.Module
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	m.AddTo(fs)
	args := []string{"--version", "1.2.3", "--digest=" + digest, "--creds", "u:p", "--insecure-registry", "-p", "dev", "-f", "-"}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	req, err := m.Request(t.Context(), "app", "apps", "oci://reg.example.com/mod", strings.NewReader("a: 1"), "agent")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.Module.String(), "oci://reg.example.com/mod:1.2.3@"+digest; got != want {
		t.Errorf("module %q, want %q", got, want)
	}
	if diff := cmp.Diff(oci.Options{Access: session.Access{Creds: "u:p", Insecure: true, UserAgent: "agent"}}, req.OCI, cmpopts.IgnoreUnexported(oci.Options{}, cache.Cache{})); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]values.Source{{Name: "<stdin>", Data: []byte("a: 1")}}, req.Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if req.Name != "app" || req.Namespace != "apps" || req.Package != "dev" {
		t.Errorf("request %+v", req)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0", 64)
	var s option.Selection
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.AddTo(fs)
	if err := fs.Parse([]string{"-v", "1.0.0", "-d", digest}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Reference("oci://reg.example.com/mod")
	if want := "oci://reg.example.com/mod:1.0.0@" + digest; err != nil || r.String() != want {
		t.Errorf("%q, %v, want %q", r, err, want)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for got, want := range map[error]string{
		option.CheckName("A"):        `instance name "A": at most `,
		option.CheckNamespace("a.b"): `namespace "a.b": at most `,
	} {
		if fail.CodeOf(got) != fail.Usage || !strings.HasPrefix(got.Error(), want) {
			t.Errorf("exit code %d, %v", fail.CodeOf(got), got)
		}
	}
}

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		time, memory string
		want         render.Limits
		err          string
	}{
		"none":      {},
		"both":      {"90s", "512Mi", render.Limits{Time: 90 * time.Second, Memory: 512 << 20}, ""},
		"no time":   {time: "90", err: `TIMONI_RENDER_TIMEOUT: "90" is not a time`},
		"past":      {time: "-1s", err: `TIMONI_RENDER_TIMEOUT: "-1s" is not a time`},
		"no memory": {memory: "much", err: `TIMONI_RENDER_MEMORY: "much" is not a size`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			variables := map[string]string{"TIMONI_RENDER_TIMEOUT": test.time, "TIMONI_RENDER_MEMORY": test.memory}
			got, err := option.LimitsOf(func(name string) string { return variables[name] })
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
