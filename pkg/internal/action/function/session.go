// SPDX-License-Identifier: Apache-2.0

package function

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// session is one run of the function. The instances of a bundle often have one
// module, which is fetched and read once.
type session struct {
	req      Request
	observer event.Observer
	modules  map[string]*source.Module // by reference; on disk until the session ends
	dirs     []string                  // with the content of artifacts
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
func (s *session) open(ctx context.Context, r ref.Reference, access krm.Access) (*source.Module, error) {
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
	s.modules[key] = opened
	return opened, nil
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

func (s *session) render(ctx context.Context, instances []krm.Instance) []render.Outcome {
	outcomes := make([]render.Outcome, len(instances))
	var reqs []render.Request
	var indices []int // of the requests
	for i, in := range instances {
		if s.req.Space != nil {
			s.req.Space(in.Namespace)
		}
		m, err := s.open(ctx, in.Module, in.Access)
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		reqs, indices = append(reqs, s.request(in, m)), append(indices, i)
	}
	for k, outcome := range render.BuildAll(ctx, reqs) {
		outcomes[indices[k]] = outcome
	}
	return outcomes
}

func (s *session) request(in krm.Instance, m *source.Module) render.Request {
	cache := s.req.Cache
	if in.Private {
		cache = nil
	}
	return render.Request{
		Dir: m.Dir, Origin: in.Module.String(), Package: in.Package,
		Name: in.Name, Namespace: in.Namespace, ModuleVersion: m.Version,
		KubeVersion: cmp.Or(in.KubeVersion, s.req.KubeVersion),
		Values:      in.Values,
		ObjectsOnly: true,
		Within:      cmp.Or(m.Within, in.Within),
		Limits:      s.req.Limits,
		Cache:       cache,
	}
}
