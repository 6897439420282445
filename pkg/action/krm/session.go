// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/source"
)

// session is one run of the function. The instances of a bundle often have one
// module, which is fetched and read once.
type session struct {
	req      Request
	observer event.Observer
	modules  map[string]*module // by reference
	dirs     []string           // with the content of artifacts
}

// module is content that is on disk until the session ends, and what the
// renderings of each of its packages share.
type module struct {
	*source.Module
	shared map[string]*render.Shared
}

func (s *session) close() error {
	var problems []error
	for _, m := range s.modules {
		problems = append(problems, m.Close())
	}
	for _, dir := range s.dirs {
		problems = append(problems, os.RemoveAll(dir))
	}
	return errors.Join(problems...)
}

// open makes a module available. The access is the same for all of a session.
func (s *session) open(ctx context.Context, r ref.Reference, access krm.Access) (*module, error) {
	key := r.String() + "\n" + r.Dir + "\n" + r.Range
	if m, ok := s.modules[key]; ok {
		return m, nil
	}
	options, err := s.options(access)
	if err != nil {
		return nil, err
	}
	opened, err := source.Open(ctx, r, source.Options{OCI: options, Observer: s.observer})
	if err != nil {
		return nil, err
	}
	m := &module{opened, map[string]*render.Shared{}}
	s.modules[key] = m
	return m, nil
}

// options returns how a registry is reached. Credentials in the environment
// are not for registries that a function config names.
func (s *session) options(access krm.Access) (oci.Options, error) {
	o := s.req.OCI
	o.Creds, o.Insecure, o.Offline = access.Creds, access.Insecure, access.Offline
	o.Cache.Dir = cmp.Or(access.CacheDir, o.Cache.Dir)
	var err error
	if access.Key != nil {
		o.Verifier, err = newKeyVerifier(access, o.Verifier)
	}
	return o, err
}

// fetch makes the content of an artifact, a module or not, available.
func (s *session) fetch(ctx context.Context, r ref.Reference, access krm.Access) (string, error) {
	options, err := s.options(access)
	if err != nil {
		return "", err
	}
	if r, err = source.Resolve(ctx, r, source.Options{OCI: options, Observer: s.observer}); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "timoni-artifact-")
	if err != nil {
		return "", err
	}
	s.dirs = append(s.dirs, dir)
	_, err = oci.PullArtifact(ctx, r, dir, "", options)
	return dir, err
}

func (s *session) render(ctx context.Context, in krm.Instance) (*render.Result, error) {
	m, err := s.open(ctx, in.Module, in.Access)
	if err != nil {
		return nil, err
	}
	if in.Siblings && m.shared[in.Package] == nil {
		m.shared[in.Package] = &render.Shared{}
	}
	return render.Build(ctx, render.Request{
		Dir: m.Dir, Origin: in.Module.String(), Package: in.Package,
		Name: in.Name, Namespace: in.Namespace, ModuleVersion: m.Version,
		KubeVersion: cmp.Or(in.KubeVersion, s.req.KubeVersion),
		Values:      in.Values,
		Shared:      m.shared[in.Package],
		OmitValues:  true,
		Within:      in.Within,
		Limits:      s.req.Limits,
	})
}
