// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// patience bounds what a script waits for.
const patience = "30s"

// commands returns what scripts can do in addition to testscript's own commands.
// ../README.md describes them.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"code":               code,
		"kget":               kget,
		"waitfor":            waitFor,
		"as-namespace-admin": asNamespaceAdmin,
		"requests":           requests,
		"requests-reset":     requestsReset,
		"second-cluster":     secondCluster,
		"start":              start,
		"expect":             expect,
		"signal":             sendSignal,
		"finish":             finish,
		"without-plugins":    withoutPlugins,
		"publish":            publish,
		"push-module":        pushModule,
		"expand":             expand,
		"serve-https":        serveHTTPS,
		"cosign":             cosign,
		"key-pair":           keyPairCommand,
		"sign-keyless":       signKeyless,
		"serve-sigstore":     serveSigstore,
		"program":            program,
		"container-image":    containerImage,
	}
}

// program puts programs that are no part of the control plane on PATH.
func program(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "program NAME...")
	for _, name := range args {
		path, err := controlplane.Extra(context.Background(), name, os.Stderr)
		ts.Check(err)
		ts.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+ts.Getenv("PATH"))
	}
}

// usage ends the script unless the arguments number at least n.
func usage(ts *testscript.TestScript, neg bool, args []string, n int, text string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", text)
	}
}

// code runs a program that must exit with a given code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "code N PROGRAM [ARG...]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got, err := exitCode(err)
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// exitCode returns the code with which a program ended that returned err. An
// error of another kind is returned.
func exitCode(err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// kget prints an object or one field of it. With ! there must be no object.
func kget(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, false, args, 2, "[!] kget RESOURCE NAME [FIELD]")
	output := "yaml"
	if len(args) > 2 {
		output = "jsonpath=" + jsonPath(args[2])
	}
	out, err := kubectl(ts, "get", args[0], args[1], "-o", output)
	if neg {
		if err == nil {
			ts.Fatalf("%s %s exists", args[0], args[1])
		}
		if !strings.Contains(err.Error(), "(NotFound)") {
			ts.Fatalf("%v", err)
		}
		return
	}
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), strings.TrimSuffix(out, "\n"))
}

// jsonPath returns the JSON path that a field stands for: a template in
// braces, a path with a leading dot, or the name of a field of the metadata.
func jsonPath(field string) string {
	switch {
	case strings.HasPrefix(field, "{"):
		return field
	case strings.HasPrefix(field, "."):
		return "{" + field + "}"
	}
	return "{.metadata." + field + "}"
}

// kubectl runs kubectl in the script's namespace as the kit's administrator,
// whose requests are not counted.
func kubectl(ts *testscript.TestScript, args ...string) (string, error) {
	s := current(ts)
	cmd := exec.Command(s.cp.Kubectl, append([]string{"--kubeconfig=" + s.cp.Kubeconfig, "-n", s.namespace}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// waitFor waits until a field of an object has a value, or until the object is
// gone.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	const text = "waitfor RESOURCE NAME FIELD VALUE, or waitfor RESOURCE NAME gone"
	usage(ts, neg, args, 3, text)
	object := []string{"wait", args[0], args[1], "--timeout=" + patience}
	var err error
	switch {
	case len(args) == 3 && args[2] == "gone":
		_, err = kubectl(ts, append(object, "--for=delete")...)
	case len(args) == 4:
		// The wait for a field fails when the object does not exist yet.
		if _, err = kubectl(ts, append(object, "--for=create")...); err == nil {
			_, err = kubectl(ts, append(object, "--for=jsonpath="+jsonPath(args[2])+"="+args[3])...)
		}
	default:
		ts.Fatalf("usage: %s", text)
	}
	ts.Check(err)
}

// pushModule pushes a directory to the registry. The digest is then in $DIGEST.
func pushModule(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "push-module DIR oci://HOST/PATH:VERSION")
	r, err := ref.Parse(args[1])
	ts.Check(err)
	image, err := archive.PackModule(ts.MkAbs(args[0]), r.Tag, archive.PackOptions{})
	ts.Check(err)
	pushed, err := oci.Push(context.Background(), image, r, []string{r.Tag, ref.Latest}, false, oci.Options{})
	ts.Check(err)
	ts.Setenv("DIGEST", pushed.Digest)
}

// expand puts the values of the script's variables into files.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "expand FILE...")
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o666))
	}
}

// asNamespaceAdmin makes the rest of the script run as a user who administers
// the script's namespace and may do nothing elsewhere.
func asNamespaceAdmin(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "as-namespace-admin")
	s := current(ts)
	kubeconfig, user, err := s.cp.NamespaceAdmin(context.Background(), s.namespace)
	ts.Check(err)
	path := filepath.Join(ts.Getenv("HOME"), "namespace-admin")
	ts.Check(os.WriteFile(path, kubeconfig, 0o600))
	s.users = append(s.users, user)
	ts.Setenv("KUBECONFIG", path)
}

// requestsReset makes the next count begin here.
func requestsReset(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "requests-reset")
	s := current(ts)
	mark, err := s.begin()
	ts.Check(err)
	s.mark = mark
	if s.second != nil {
		s.secondMark, err = s.second.Mark()
		ts.Check(err)
	}
}

// requests prints how many requests the script's users made, and which.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "requests [second] [write|VERB]... [-RESOURCE]...")
	s := current(ts)
	cp, mark := s.cp, s.mark
	if len(args) > 0 && args[0] == secondContext {
		cp, mark, args = s.second, s.secondMark, args[1:]
	}
	all, err := cp.Requests(mark, s.users...)
	if errors.Is(err, kit.ErrNoAudit) {
		s.t.Skip(err)
	}
	ts.Check(err)
	var lines []string
	for _, r := range all {
		if selected(r, args) {
			lines = append(lines, r.String())
		}
	}
	slices.Sort(lines)
	fmt.Fprintln(ts.Stdout(), len(lines))
	for _, line := range lines {
		fmt.Fprintln(ts.Stdout(), line)
	}
}

// selected reports whether args ask for a request: all do when none of them
// names verbs, and -RESOURCE leaves a resource out.
func selected(r kit.Request, args []string) bool {
	verbs, match := false, false
	for _, arg := range args {
		if resource, ok := strings.CutPrefix(arg, "-"); ok {
			if r.Resource == resource {
				return false
			}
			continue
		}
		verbs = true
		match = match || arg == r.Verb || arg == "write" && r.Write()
	}
	return match || !verbs
}
