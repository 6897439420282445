// SPDX-License-Identifier: Apache-2.0

// Package vendor writes schemas into a module's cue.mod/gen, where its imports
// find them.
package vendor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// maxInput is how much is read from one place.
const maxInput = 128 << 20

// Origin says where CustomResourceDefinitions are read from.
type Origin struct {
	// Files are names of files and directories, https URLs, or - for Stdin. Of
	// a directory the files *.yaml, *.yml and *.json are read, as kubectl does.
	Files    []string
	Stdin    io.Reader
	Download download.Options

	// Cluster reads those of the cluster through kubectl, which has the
	// credentials and knows how to use them.
	Cluster    bool
	Kubeconfig string
	Context    string
	Environ    []string // of kubectl
}

// definitions reads what the origin names. That it is nothing is an error.
func (o Origin) definitions(ctx context.Context) ([]crd.Definition, error) {
	var all []crd.Definition
	add := func(name string, data []byte, err error) error {
		if err != nil {
			return err
		}
		found, err := crd.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, found...)
		return nil
	}
	names, err := expand(o.Files)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := o.read(ctx, name)
		if err = add(name, data, err); err != nil {
			return nil, err
		}
	}
	if o.Cluster {
		data, err := o.fromCluster(ctx)
		if err = add("kubectl", data, err); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no CustomResourceDefinition", cmp.Or(strings.Join(o.Files, ", "), "the cluster"))
	}
	return all, nil
}

// expand replaces directories by the files in them.
func expand(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if name == "-" || download.IsURL(name) {
			all = append(all, name)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, reason(err))
		}
		if !info.IsDir() {
			all = append(all, name)
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, reason(err))
		}
		for _, entry := range entries {
			extension := strings.ToLower(filepath.Ext(entry.Name()))
			if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, extension) {
				all = append(all, filepath.Join(name, entry.Name()))
			}
		}
	}
	return all, nil
}

// reason returns what is in an error about a file beside the name of it.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func (o Origin) read(ctx context.Context, name string) ([]byte, error) {
	switch {
	case name == "-":
		return readAll("the standard input", o.Stdin)
	case download.IsURL(name):
		data, err := download.Get(ctx, name, o.Download)
		if errors.Is(err, download.ErrPrivate) {
			err = fail.Hint(err, "if that is meant, give --allow-private-address")
		}
		return data, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	defer file.Close()
	return readAll(name, file)
}

func readAll(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxInput)
	}
	return data, nil
}

func (o Origin) fromCluster(ctx context.Context) ([]byte, error) {
	args := []string{"get", "customresourcedefinitions.apiextensions.k8s.io", "--output=json"}
	if o.Kubeconfig != "" {
		args = append(args, "--kubeconfig="+o.Kubeconfig)
	}
	if o.Context != "" {
		args = append(args, "--context="+o.Context)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Env, cmd.Stderr = o.Environ, &stderr
	data, err := cmd.Output()
	if err != nil {
		if message := strings.TrimSpace(stderr.String()); message != "" {
			err = errors.New(strings.TrimPrefix(message, "error: "))
		}
		return nil, fmt.Errorf("kubectl get customresourcedefinitions: %w", err)
	}
	return data, nil
}
