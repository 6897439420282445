// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
)

// TestSlowOutput holds that the output of a program is read to its end, however
// long after the program's own end that is: on a busy machine nothing is fast.
func TestSlowOutput(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes longer than a program may take to end that is interrupted")
	}
	program := filepath.Join(t.TempDir(), "timoni-krm")
	script := "#!/bin/sh\n(sleep 6; echo 'kind: Late') &\necho 'kind: Early'\necho ---\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	k := deploy.Kustomization{Dir: t.TempDir(), Program: program, Environ: os.Environ()}
	out, err := k.Build(t.Context(), "v1.36.3", event.Discard())
	if want := "kind: Early\n---\nkind: Late\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}
