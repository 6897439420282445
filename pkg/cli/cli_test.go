// SPDX-License-Identifier: Apache-2.0

package cli

import "testing"

func TestTyped(t *testing.T) {
	t.Parallel()
	for argv0, want := range map[string]struct{ program, verb string }{
		"/usr/local/bin/kubectl-timoni-apply": {"kubectl timoni apply", "apply"},
		"bin/kubectl-timoni":                  {"kubectl timoni", "timoni"},
		"kubectl-timoni-apply":                {"kubectl-timoni-apply", "apply"},
		"kubectl-timoni":                      {"kubectl-timoni", "timoni"},
		"kubectl timoni status":               {"kubectl timoni status", "status"},
		"kubectl-timoni status":               {"kubectl-timoni status", "status"},
		"/opt/bin/timoni-krm":                 {"timoni-krm", "timoni-krm"},
	} {
		t.Run(argv0, func(t *testing.T) {
			t.Parallel()
			program, verb := typed(argv0)
			if program != want.program || verb != want.verb {
				t.Errorf("typed(%q) = %q, %q, want %q, %q", argv0, program, verb, want.program, want.verb)
			}
		})
	}
}
