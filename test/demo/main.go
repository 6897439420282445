// SPDX-License-Identifier: Apache-2.0

// Command demo shows the whole way on a control plane of its own: a module is
// rendered, applied through kubectl, changed, rendered through kustomize and
// deleted. It prints every command before it runs it, and leaves nothing
// behind. "make demo" builds the plugins and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

func main() {
	os.Exit(kit.Program(func(ctx context.Context) error { return run(ctx, os.Stdout) }))
}

// step is a sentence and the command that shows it.
type step struct{ says, command string }

func steps() []step {
	return []step{
		{
			"A module is a directory of CUE: templates, and a schema for the values. Rendered, it is plain YAML.",
			"kubectl timoni build hello test/modules/minimal -n demo | head -n 12",
		},
		{
			"Applied, every object is first checked by the server in a dry run, then applied and waited for.",
			"kubectl timoni apply hello test/modules/minimal -n demo",
		},
		{
			"The objects are there, and ready.",
			"kubectl get deployment,service,configmap -n demo -l instance.timoni.sh/name=hello",
		},
		{
			"Nothing has changed, so a second apply writes nothing.",
			"kubectl timoni apply hello test/modules/minimal -n demo",
		},
		{
			"Values are plain YAML or CUE. What is no longer in the module is deleted last, after its replacement is ready.",
			"kubectl timoni apply hello test/modules/minimal -n demo -f $DEMO/values.yaml",
		},
		{
			"A value of the wrong type is an error in your file, not in a template.",
			"kubectl timoni apply hello test/modules/minimal -n demo -f $DEMO/wrong.yaml || true",
		},
		{
			"What runs in the cluster:",
			"kubectl timoni list -A; kubectl timoni status hello -n demo",
		},
		{
			"The same module is a generator for kustomize, and every feature of kustomize works on its objects.",
			"cat test/kustomize/kustomization.yaml test/kustomize/hello.yaml",
		},
		{
			"",
			"kustomize build --enable-alpha-plugins --enable-exec test/kustomize | grep -E '^kind:|^  name:|replicas:'",
		},
		{
			"Deleting the instance deletes its objects.",
			"kubectl timoni delete hello -n demo",
		},
	}
}

func run(ctx context.Context, out io.Writer) error {
	began := time.Now()
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kubectl-timoni-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	if err = writeFiles(dir); err != nil {
		return err
	}
	fmt.Fprintln(out, "Starting a control plane; the first time on a machine it is built, which takes some minutes.")
	supervisor, err := kit.Spawn(kit.Options{})
	if err != nil {
		return err
	}
	err = show(ctx, out, supervisor.URL, root, dir)
	if err = errors.Join(err, supervisor.Stop()); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nDone in %s: a module was rendered, applied to a real API server through kubectl, changed,\n"+
		"rendered through kustomize and deleted. The control plane is stopped, nothing is left.\n",
		time.Since(began).Round(time.Second))
	return nil
}

func show(ctx context.Context, out io.Writer, url, root, dir string) error {
	cp, err := kit.Attach(ctx, url)
	if err != nil {
		return err
	}
	path := strings.Join([]string{
		filepath.Join(root, "bin"), filepath.Dir(cp.Kubectl), filepath.Dir(cp.Kustomize), os.Getenv("PATH"),
	}, string(os.PathListSeparator))
	env := append(os.Environ(), "PATH="+path, "KUBECONFIG="+cp.Kubeconfig, "HOME="+dir, "DEMO="+dir)
	for _, s := range steps() {
		if s.says != "" {
			fmt.Fprintf(out, "\n# %s\n", s.says)
		}
		fmt.Fprintf(out, "$ %s\n", s.command)
		cmd := exec.CommandContext(ctx, "sh", "-c", s.command)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, env, out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", s.command, err)
		}
	}
	return nil
}

// writeFiles writes the values that the commands of the demo read.
func writeFiles(dir string) error {
	for name, text := range map[string]string{
		"values.yaml": "message: changed\nreplicas: 2\n",
		"wrong.yaml":  "message: changed\nreplicas: many\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
