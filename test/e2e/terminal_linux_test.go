// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// stuckValues are an instance whose Pod never runs: the scheduler reports why.
const stuckValues = `stages: {one: {a: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {
    nodeSelector: {none: none}, containers: [{name: web, image: nginx}]}}}}}}
`

// TestTerminal holds that what a wait and a tree show on terminals of several
// widths fits, line by line, ends with the warnings below the table, and has
// colours unless NO_COLOR is set.
func TestTerminal(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin, cp := plugins(t, root), kit.ForTest(t)
	values := filepath.Join(t.TempDir(), "stuck.yaml")
	if err = os.WriteFile(values, []byte(stuckValues), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, columns := range []uint16{40, 80, 200} {
		for _, noColor := range []string{"", "1"} {
			t.Run(fmt.Sprintf("%d/NO_COLOR=%s", columns, noColor), func(t *testing.T) {
				t.Parallel()
				ns := cp.Namespace(t)
				run := func(meanwhile func(string) bool, args ...string) string {
					cmd := exec.Command(filepath.Join(bin, args[0]), append(args[1:], "-n", ns)...)
					cmd.Env = append(os.Environ(), "KUBECONFIG="+cp.Kubeconfig, "NO_COLOR="+noColor, "XDG_CACHE_HOME="+t.TempDir())
					return runOnTerminal(t, cmd, columns, meanwhile)
				}
				module := filepath.Join(root, "test", "modules", "raw")
				got := run(nil, "kubectl-timoni-apply", "app", module, "-f", values, "--timeout", "3s")
				last := checkScreens(t, got, noColor == "")
				checkWidth(t, got, int(columns))
				if want := "event: Warning FailedScheduling Pod"; !strings.Contains(last, want) {
					t.Errorf("the last screen has no %q:\n%s", want, last)
				}
				// What is shown twice, as it has changed, is on the screen once.
				got = run(func(sofar string) bool {
					if !strings.Contains(sofar, "─ Pod/web-") {
						return false
					}
					scale := exec.Command(cp.Kubectl, "scale", "deployment", "web", "--replicas=3", "-n", ns, "--kubeconfig", cp.Kubeconfig)
					if out, err := scale.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
					return true
				}, "kubectl-timoni", "status", "app", "--tree", "--watch", "--timeout", "15s")
				last = checkScreens(t, got, false)
				if strings.Count(last, "─ Pod/web-") != 3 || !strings.Contains(last, "Unschedulable") {
					t.Errorf("the last screen:\n%s", last)
				}
			})
		}
	}
}

// runOnTerminal returns what a program writes to a terminal, until it ends. It
// calls meanwhile with what was written so far until that reports true.
func runOnTerminal(t *testing.T, cmd *exec.Cmd, columns uint16, meanwhile func(string) bool) string {
	t.Helper()
	reader, program, err := kit.OpenTerminal(columns, 80)
	if err != nil {
		t.Skip(err)
	}
	defer reader.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = program.Close()
	var out strings.Builder
	for part := make([]byte, 4096); ; {
		n, err := reader.Read(part)
		out.Write(part[:n])
		if err != nil {
			break // the program has closed its end
		}
		if meanwhile != nil && meanwhile(out.String()) {
			meanwhile = nil
		}
	}
	_ = cmd.Wait() // it is not ready in time
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

var (
	redrawRE = regexp.MustCompile(`\x1b\[\d+A\r\x1b\[J`)
	colourRE = regexp.MustCompile(`\x1b\[\d*m`)
)

// checkScreens returns what is drawn last, and holds that the only sequences are
// those of colours, if they are expected, and of drawing anew.
func checkScreens(t *testing.T, out string, colours bool) string {
	t.Helper()
	if has := colourRE.MatchString(out); has != colours {
		t.Errorf("colours: %v, want %v", has, colours)
	}
	drawn := redrawRE.Split(colourRE.ReplaceAllString(out, ""), -1)
	if len(drawn) < 2 {
		t.Errorf("nothing was drawn anew:\n%q", out)
	}
	if strings.ContainsAny(strings.Join(drawn, ""), "\x1b\r") {
		t.Errorf("other sequences than expected: %q", out)
	}
	return drawn[len(drawn)-1]
}

// checkWidth holds that a table, and what is below it, is no wider than the
// screen.
func checkWidth(t *testing.T, out string, columns int) {
	t.Helper()
	drawn := redrawRE.Split(colourRE.ReplaceAllString(out, ""), -1)
	for i, screen := range drawn {
		screen, _, _ = strings.Cut(screen, "error:")
		if i == 0 {
			_, screen, _ = strings.Cut(screen, "to become ready\n")
		}
		for line := range strings.Lines(screen) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n >= columns {
				t.Errorf("%d characters on %d columns: %q", n, columns, line)
			}
		}
	}
}
