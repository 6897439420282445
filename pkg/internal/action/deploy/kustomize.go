// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// Kustomization is what is applied in place of a module: the objects of a
// kustomization, as 'timoni-krm kustomize' builds it.
type Kustomization struct {
	Dir        string   // or an address, as kustomize takes it
	Program    string   // the path of timoni-krm
	Namespace  string   // of the modules in it whose configs name none
	EnableExec bool     // runs functions and plugins of others, too
	Environ    []string // of the program
}

// What the record of an instance says of a kustomization.
const (
	kustomizationModule  = "kustomize"
	kustomizationVersion = "0.0.0-devel" // as that of any directory
	kustomizationStage   = "kustomization"
)

// kubeVersionVariable tells the modules in a kustomization the version of the
// cluster, unless their configs say another.
const kubeVersionVariable = "TIMONI_KUBE_VERSION"

// spacesVariable asks functions to say the namespace of each instance that they
// render, in lines that begin with spacePrefix.
const (
	spacesVariable = "TIMONI_KRM_SHOW_NAMESPACES"
	spacePrefix    = "namespace of an instance: "
)

// patience is how long the program may take to end once it was interrupted. It
// decides about nothing but when the command ends.
const patience = 5 * time.Second

// render builds the kustomization for a version of Kubernetes. space is told the
// namespace of each instance in it.
func (k Kustomization) render(ctx context.Context, kubeVersion string, observer event.Observer, space func(string)) (*build.Result, error) {
	stream, err := k.build(ctx, kubeVersion, observer, space)
	if err != nil {
		return nil, fmt.Errorf("kustomization %q: %w", k.Dir, err)
	}
	objects, err := parseObjects(stream)
	if err != nil {
		return nil, fmt.Errorf("kustomization %q: %w", k.Dir, err)
	}
	for _, warning := range render.DropServerFields(objects) {
		observer.Observe(event.Warning{Text: warning})
	}
	result := render.Restore(api.Rendering{Stages: []api.Stage{{Name: kustomizationStage, Objects: objects}}}, render.Limits{})
	result.Values = "{}"
	return &build.Result{
		Result: result,
		Module: api.Module{
			Name: kustomizationModule, Repository: k.repository(), Version: kustomizationVersion,
			Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(stream)),
		},
	}, nil
}

// repository returns what the record says of where the objects come from.
func (k Kustomization) repository() string {
	if info, err := os.Stat(k.Dir); err == nil && info.IsDir() {
		return "file://" + filepath.ToSlash(k.Dir)
	}
	return k.Dir
}

// build returns what the program prints. Its error is the program's.
func (k Kustomization) build(ctx context.Context, kubeVersion string, observer event.Observer, space func(string)) ([]byte, error) {
	args := []string{"kustomize", "--namespace=" + k.Namespace}
	if k.EnableExec {
		args = append(args, "--enable-exec")
	}
	cmd := exec.CommandContext(ctx, k.Program, append(args, "--", k.Dir)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(slices.Clip(k.Environ), kubeVersionVariable+"="+kubeVersion, spacesVariable+"=1")
	cmd.Cancel = func() error {
		// Not before: it would also limit how long the output of a program that
		// has ended may take to be read.
		cmd.WaitDelay = patience
		return cmd.Process.Signal(os.Interrupt) // it has children of its own
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	others := passRemarks(stderr.String(), observer, space)
	if err != nil {
		return nil, programError(err, others)
	}
	for _, line := range others {
		observer.Observe(event.Note{Text: line})
	}
	return stdout.Bytes(), nil
}

// passRemarks passes on what a program of ours remarked on its standard error:
// warnings, notes, the namespaces of instances. It returns the other lines.
func passRemarks(stderr string, observer event.Observer, space func(string)) (others []string) {
	const warning, note = "warning: ", "note: "
	kind, text := "", ""
	flush := func() {
		switch kind {
		case warning:
			observer.Observe(event.Warning{Text: text})
		case note:
			observer.Observe(event.Note{Text: text})
		}
		kind, text = "", ""
	}
	for line := range strings.Lines(strings.TrimSpace(stderr)) {
		line = strings.TrimRight(line, "\r\n")
		if kind != "" && strings.HasPrefix(line, "    ") {
			text += "\n" + line
			continue
		}
		flush()
		switch {
		case strings.HasPrefix(line, warning), strings.HasPrefix(line, note):
			kind, text, _ = strings.Cut(line, " ")
			kind += " "
		case strings.HasPrefix(line, spacePrefix):
			space(strings.TrimPrefix(line, spacePrefix))
		case line != "":
			others = append(others, line)
		}
	}
	flush()
	return others
}

// programError returns what a program of ours had to say, with its hints and
// its exit code.
func programError(err error, lines []string) error {
	var message, hints []string
	for _, line := range lines {
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			hints = append(hints, hint)
			continue
		}
		if len(message) > 0 && strings.HasPrefix(line, "error: couldn't execute function: exit status ") {
			continue // of a function that has said why
		}
		message = append(message, line)
	}
	exit, ended := errors.AsType[*exec.ExitError](err)
	if !ended || len(message) == 0 {
		return fmt.Errorf("run timoni-krm: %w", err)
	}
	err = errors.New(strings.TrimPrefix(strings.Join(message, "\n"), "error: "))
	for _, hint := range slices.Backward(hints) {
		err = fail.Hint(err, "%s", hint)
	}
	if code := fail.Code(exit.ExitCode()); code == fail.Refused || code == fail.No {
		err = fail.With(code, err)
	}
	return err
}

// parseObjects reads a stream of YAML documents, each an object.
func parseObjects(stream []byte) ([]api.Object, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	var objects []api.Object
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		var object map[string]any
		if err == nil {
			err = utilyaml.Unmarshal(document, &object)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if len(object) > 0 {
			objects = append(objects, object)
		}
	}
}
