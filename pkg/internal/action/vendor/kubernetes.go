// SPDX-License-Identifier: Apache-2.0

package vendor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema/kubernetes"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

// contentGen is the content type of an artifact with schemas (docs/interop.md,
// section 4).
const contentGen = "cue.mod/gen"

// KubernetesRepository is where the schemas of each minor version of Kubernetes
// are published, with the tags v1.28 and so on.
const KubernetesRepository = "oci://ghcr.io/stefanprodan/timoni/kubernetes-schema"

// KubernetesRequest says which schemas of Kubernetes go into which module: those
// in the binary unless it names an artifact or a cluster.
type KubernetesRequest struct {
	Dir string // of the module

	// From are references to an artifact in a registry: the first of them that
	// exists.
	From []ref.Reference
	OCI  oci.Options

	Cluster *Cluster
}

// Deleted is the status of a file of a package that is no longer part of it.
const Deleted Status = "deleted"

// Kubernetes writes the schemas below the module's cue.mod/gen/k8s.io. Each
// package is replaced as a whole, since files of two versions would not unify;
// packages that are not among the new ones are left alone.
func Kubernetes(ctx context.Context, req KubernetesRequest) ([]File, error) {
	if err := checkModule(req.Dir); err != nil {
		return nil, err
	}
	content, err := req.schemas(ctx)
	if err != nil {
		return nil, err
	}
	gen := filepath.Join(req.Dir, "cue.mod", "gen")
	files, err := write(req.Dir, content)
	if err != nil {
		return nil, err
	}
	deleted, err := deleteOthers(gen, content)
	return append(files, deleted...), err
}

// schemas returns the files to write, by their path below cue.mod/gen.
func (req KubernetesRequest) schemas(ctx context.Context) (map[string][]byte, error) {
	if req.Cluster != nil {
		return req.Cluster.schemas(ctx)
	}
	if len(req.From) == 0 {
		return embeddedSchemas()
	}
	var first error
	for _, r := range req.From {
		content, err := pullSchemas(ctx, r, req.OCI)
		if !errors.Is(err, session.ErrNotFound) {
			return content, err
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

// schemas returns packages generated from the OpenAPI documents that the API server
// serves.
func (c Cluster) schemas(ctx context.Context) (map[string][]byte, error) {
	known, err := embeddedSchemas()
	if err != nil {
		return nil, err
	}
	index, err := c.raw(ctx, "/openapi/v3")
	if err != nil {
		return nil, err
	}
	paths, err := crd.OpenAPIPaths(index)
	if err != nil {
		return nil, err
	}
	packages := crd.Packages{}
	for _, path := range paths {
		document, err := c.raw(ctx, path)
		if err != nil {
			return nil, err
		}
		if err = packages.Add(document); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return packages.Files(known)
}

func (c Cluster) raw(ctx context.Context, path string) ([]byte, error) {
	data, err := c.kubectl(ctx, "get", "--raw", path)
	if err != nil {
		return nil, fmt.Errorf("kubectl get --raw %s: %w", path, err)
	}
	return data, nil
}

func embeddedSchemas() (map[string][]byte, error) {
	tree, err := kubernetes.Schemas()
	if err != nil {
		return nil, err
	}
	return readSchemas(tree)
}

// readSchemas returns the CUE files below k8s.io, by their path with slashes.
func readSchemas(tree fs.FS) (map[string][]byte, error) {
	content := map[string][]byte{}
	err := fs.WalkDir(tree, "k8s.io", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path.Ext(name) != ".cue" {
			return err
		}
		content[name], err = fs.ReadFile(tree, name)
		return err
	})
	return content, err
}

func pullSchemas(ctx context.Context, r ref.Reference, o oci.Options) (content map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "timoni-schemas")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err = oci.PullArtifact(ctx, r, dir, contentGen, o); err != nil {
		return nil, err
	}
	content, err = readSchemas(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("artifact %s holds no schemas of Kubernetes: it has no directory k8s.io", r)
	}
	return content, err
}

// deleteOthers removes the generated files next to those of content
// in the same packages.
func deleteOthers(gen string, content map[string][]byte) ([]File, error) {
	var packages []string
	for name := range content {
		packages = append(packages, path.Dir(name))
	}
	slices.Sort(packages)
	var deleted []File
	for _, dir := range slices.Compact(packages) {
		entries, err := os.ReadDir(filepath.Join(gen, filepath.FromSlash(dir)))
		if err != nil {
			return deleted, err
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			if _, wanted := content[name]; wanted || !strings.HasSuffix(name, "_gen.cue") || !entry.Type().IsRegular() {
				continue
			}
			file := filepath.Join(gen, filepath.FromSlash(name))
			if err = os.Remove(file); err != nil {
				return deleted, err
			}
			deleted = append(deleted, File{Path: file, Status: Deleted})
		}
	}
	return deleted, nil
}
