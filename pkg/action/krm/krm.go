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
)

// Request says what the function works on, beside what its config says.
type Request struct {
	Input       io.Reader // holds the ResourceList, or with Config the objects
	Config      string    // the file of the function config, when it is not in the ResourceList
	Dir         string    // to which the config's files are relative; empty: that of Config, or else "."
	KubeVersion string    // for a config that names none
	OCI         oci.Options
	Trust       krm.Trust // what the config may do
}

// Run carries out the function config of the list on the input. The list is
// never nil, and is to be written also after an error: whoever reads it does
// so before looking at the exit code. It holds the error among its results; the
// observer is told the others.
func Run(ctx context.Context, req Request, observer event.Observer) (list *krm.List, err error) {
	if list, err = req.read(); err != nil {
		return list, err
	}
	dir := "."
	if req.Config != "" {
		dir = filepath.Dir(req.Config)
	}
	s := &session{req: req, observer: observer, modules: map[string]*module{}}
	defer func() { err = errors.Join(err, s.close()) }()
	function := krm.Function{Dir: cmp.Or(req.Dir, dir), Render: s.render, Fetch: s.fetch, Trust: req.Trust}
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
