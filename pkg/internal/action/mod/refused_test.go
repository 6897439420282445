// SPDX-License-Identifier: Apache-2.0

package mod_test

import (
	"path/filepath"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/advice/registryadvice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestVetUnavailable holds that a module which cannot be read is no module that
// is not valid: a policy refuses it, or its registry cannot be reached.
func TestVetUnavailable(t *testing.T) {
	t.Parallel()
	host := fixture.Registry(t)
	dir := fixture.Dir(t, map[string]string{"cue.mod/module.cue": "module: \"test.example/app\"\nlanguage: version: \"v0.9.0\"\n"})
	fixture.Push(t, dir, fixture.Reference(t, "oci://"+host+"/app:1.0.0"))
	policy := fixture.Write(t, filepath.Join(t.TempDir(), "policy.yaml"), "default: deny\n")
	for name, test := range map[string]struct {
		reference string
		options   oci.Options
		code      fail.Code
	}{
		"refused":     {"oci://" + host + "/app:1.0.0", oci.Options{Verifier: source.Trust{File: policy}}, fail.Refused},
		"unreachable": {"oci://127.0.0.1:1/app:1.0.0", oci.Options{}, fail.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vetted, err := mod.Vet(t.Context(), mod.VetRequest{Request: build.Request{
				Module: fixture.Reference(t, test.reference), OCI: test.options, Name: "app", Namespace: "default",
			}})
			if vetted != nil || err == nil || fail.CodeOf(fail.Advise(err, registryadvice.For)) != test.code {
				t.Errorf("vetted %v, error %v with code %d, want %d", vetted, err, fail.CodeOf(fail.Advise(err, registryadvice.For)), test.code)
			}
		})
	}
}
