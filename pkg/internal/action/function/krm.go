// SPDX-License-Identifier: Apache-2.0

// Package function is the verb of the KRM function: a ResourceList in, the list
// with the objects of a module out.
package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/kustomize"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// Request says what the function works on, in addition to what its config says.
type Request struct {
	Input       io.Reader // holds the ResourceList, or with Config the objects
	Config      string    // the file of the function config, when it is not in the ResourceList
	Dir         string    // to which the config's files are relative; empty: that of Config, or else "."
	KubeVersion string    // for a config that names none
	OCI         oci.Options
	Trust       krm.Trust // what the config may do
	Limits      render.Limits
	Cache       *render.Cache
	Explain     func(error) error // adds hints and exit codes to errors
	Space       func(ns string)   // is told the namespace of each instance, nil for none
}

// Run carries out the function config of the list on the input. The list is
// never nil, and is to be written also after an error: a program that reads it does
// so before looking at the exit code. It holds the error among its results; the
// observer is told the others.
func Run(ctx context.Context, req Request, observer event.Observer) (list *krm.List, err error) {
	if list, err = orCancelled(ctx, req.read); list == nil {
		err = fmt.Errorf("read the standard input: %w", err)
		if req.Config != "" {
			return krm.EmptyStream(), err
		}
		return krm.Failed(err)
	}
	if err != nil {
		return list, err
	}
	dir := "."
	if req.Config != "" {
		dir = filepath.Dir(req.Config)
	}
	s := &session{req: req, observer: observer, modules: map[string]*source.Module{}}
	defer func() { err = errors.Join(err, s.close()) }()
	function := krm.Function{Dir: cmp.Or(req.Dir, dir), Render: s.render, Fetch: s.fetch, Trust: req.Trust, Limits: req.Limits, Explain: req.Explain}
	err = function.Run(ctx, list)
	for _, r := range list.Results {
		switch r.Severity {
		case krm.Warning:
			observer.Observe(event.Warning{Text: r.Message})
		case krm.Info:
			observer.Observe(event.Note{Text: r.Message})
		}
	}
	return list, err
}

// NoConfigError says that the file of a function config does not exist.
type NoConfigError struct{ Name string }

// Error names the file, which may be a command that is misspelt.
func (e *NoConfigError) Error() string {
	return fmt.Sprintf("%q is neither a command nor the file of a function config", e.Name)
}

func (req Request) read() (*krm.List, error) {
	if req.Config == "" {
		return krm.Read(req.Input)
	}
	config, err := os.ReadFile(req.Config)
	if errors.Is(err, fs.ErrNotExist) {
		err = fail.Invalid(&NoConfigError{Name: req.Config})
	}
	if err != nil {
		return krm.EmptyStream(), err
	}
	list, err := krm.ReadStream(config, req.Input)
	if err != nil {
		return list, fmt.Errorf("%s: %w", req.Config, err)
	}
	return list, nil
}

// Build returns the objects of a kustomization as YAML.
func Build(ctx context.Context, k kustomize.Kustomization) ([]byte, error) {
	return orCancelled(ctx, k.Build)
}

// orCancelled does work that knows no context, and waits until it is done or
// the context is. What was given up goes on until the process ends.
func orCancelled[T any](ctx context.Context, work func() (T, error)) (none T, err error) {
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := work()
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
