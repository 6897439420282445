// SPDX-License-Identifier: Apache-2.0

// Package intake reads what is checked without a kustomization: objects in
// files, directories and streams, and the policies to check them by.
package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
)

// Objects returns the objects in files and in directories with all below them;
// - is the standard input. Those of files remember which. Function configs,
// kustomizations and what is marked as local are for tools, and not among them.
func Objects(ctx context.Context, operands []string, stdin io.Reader, observer event.Observer) ([]*yaml.RNode, error) {
	var all []*yaml.RNode
	for _, operand := range operands {
		found, err := read(ctx, operand, stdin, observer)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no objects in %s", strings.Join(operands, ", "))
	}
	return all, nil
}

func read(ctx context.Context, operand string, stdin io.Reader, observer event.Observer) ([]*yaml.RNode, error) {
	if operand == "-" {
		data, err := input.All(ctx, stdin)
		if err != nil {
			return nil, fmt.Errorf("read the standard input: %w", err)
		}
		objects, err := parse(data, "")
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return objects, nil
	}
	info, err := os.Stat(operand)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", operand, errors.Unwrap(err))
	}
	if info.IsDir() {
		return readTree(ctx, operand, observer)
	}
	return readFile(ctx, operand)
}

// readTree reads the files of a directory and those below it. Files that hold
// no objects, such as values, are warned of.
func readTree(ctx context.Context, dir string, observer event.Observer) ([]*yaml.RNode, error) {
	var all []*yaml.RNode
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !mayHoldObjects(d.Name()):
			return nil
		}
		objects, err := readFile(ctx, path)
		if notObject, ok := errors.AsType[*notObjectError](err); ok {
			observer.Observe(event.Warning{Text: fmt.Sprintf("%s: not checked: %v", path, notObject)})
			err = nil
		}
		all = append(all, objects...)
		return err
	})
	return all, err
}

func mayHoldObjects(file string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) &&
		!slices.Contains([]string{"kustomization.yaml", "kustomization.yml"}, file)
}

func readFile(ctx context.Context, file string) ([]*yaml.RNode, error) {
	in, err := input.Read(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", file, err)
	}
	objects, err := parse(bytes.TrimPrefix(in.Data, []byte("\xef\xbb\xbf")), file)
	if err != nil {
		return objects, fmt.Errorf("%s: %w", file, err)
	}
	return objects, nil
}

// notObjectError says that a document of a stream is no object.
type notObjectError struct{ document int } // counted from 1

// Error says which.
func (e *notObjectError) Error() string {
	return fmt.Sprintf("document %d has no apiVersion or no kind", e.document)
}

// parse returns the objects of a stream, also after a *notObjectError.
func parse(stream []byte, file string) ([]*yaml.RNode, error) {
	items, err := krm.ReadItems(stream)
	if err != nil {
		return nil, err
	}
	var objects []*yaml.RNode
	var broken error
	for i, item := range items {
		switch {
		case item.GetKind() == "" || item.GetApiVersion() == "":
			broken = &notObjectError{i + 1}
			continue
		case isLocal(item):
			continue
		case file != "":
			err = errors.Join(item.PipeE(yaml.SetAnnotation(kioutil.PathAnnotation, file)),
				item.PipeE(yaml.SetAnnotation(kioutil.IndexAnnotation, strconv.Itoa(i))))
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, item)
	}
	return objects, broken
}

// isLocal says whether an object is for a tool, and not for a cluster.
func isLocal(item *yaml.RNode) bool {
	const mark = "config.kubernetes.io/local-config"
	group, _, _ := strings.Cut(item.GetApiVersion(), "/")
	return group == "kustomize.config.k8s.io" || group == "kpt.dev" || item.GetApiVersion() == krm.APIVersion ||
		item.GetAnnotations(mark)[mark] == "true"
}
