// SPDX-License-Identifier: Apache-2.0

// Package krm is the verb of the KRM function: a ResourceList in, the list
// with the objects of a module out.
package krm

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
	"github.com/kubectl-timoni/kubectl-timoni/pkg/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/source"
)

// Request says what the function works on, beside what its config says.
type Request struct {
	Input       io.Reader // holds the ResourceList, or with Config the objects
	Config      string    // the file of the function config, when it is not in the ResourceList
	Dir         string    // to which the config's files are relative; empty: that of Config, or else "."
	KubeVersion string    // for a config that names none
	OCI         oci.Options
}

// Run carries out the function config of the list on the input. The list is
// never nil, and is to be written also after an error: whoever reads it does
// so before looking at the exit code. It holds the error among its results.
func Run(ctx context.Context, req Request, observer event.Observer) (*krm.List, error) {
	list, err := req.read()
	if err != nil {
		return list, err
	}
	dir := "."
	if req.Config != "" {
		dir = filepath.Dir(req.Config)
	}
	function := krm.Function{
		Dir: cmp.Or(req.Dir, dir),
		Render: func(ctx context.Context, in krm.Instance) (*render.Result, error) {
			return req.render(ctx, in, observer)
		},
	}
	return list, function.Run(ctx, list)
}

func (req Request) read() (*krm.List, error) {
	if req.Config == "" {
		return krm.Read(req.Input)
	}
	config, err := os.ReadFile(req.Config)
	if errors.Is(err, fs.ErrNotExist) {
		err = fail.Hint(fail.Usagef("%q is neither a command nor the file of a function config", req.Config), "see 'timoni-krm --help'")
	}
	if err != nil {
		return &krm.List{}, err
	}
	list, err := krm.ReadStream(config, req.Input)
	if err != nil {
		return list, fmt.Errorf("%s: %w", req.Config, err)
	}
	return list, nil
}

func (req Request) render(ctx context.Context, in krm.Instance, observer event.Observer) (result *render.Result, err error) {
	m, err := source.Open(ctx, in.Module, source.Options{OCI: req.OCI, Observer: observer})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	result, err = render.Build(ctx, render.Request{
		Dir: m.Dir, Origin: in.Module.String(), Package: in.Package,
		Name: in.Name, Namespace: in.Namespace, ModuleVersion: m.Version,
		KubeVersion: cmp.Or(in.KubeVersion, req.KubeVersion),
		Values:      in.Values,
	})
	if err != nil {
		return nil, err
	}
	for _, warning := range result.Warnings {
		observer.Observe(event.Warning{Text: warning})
	}
	return result, nil
}
