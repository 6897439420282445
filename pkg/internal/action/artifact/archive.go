// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// maxInflated is how much of a layer is looked at, which is more than any pull
// extracts.
const maxInflated = 1 << 30

// checkLayers refuses an artifact that was packed elsewhere if a layer holds
// what no directory is packed with: a Git repository, or a path that leads out.
// What is no layer of files is left alone.
func checkLayers(image archive.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		data, err := layer.Compressed()
		if err != nil {
			return err
		}
		if err = errors.Join(checkLayer(data), data.Close()); err != nil {
			return err
		}
	}
	return nil
}

func checkLayer(data io.Reader) error {
	zip, err := gzip.NewReader(data)
	if err != nil {
		return nil //nolint:nilerr // not a layer of files
	}
	for files := tar.NewReader(io.LimitReader(zip, maxInflated)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack layer: %w", err)
		}
		if git := archive.GitPart(path.Clean(header.Name)); git != "" {
			return fail.Hint(fail.Refusedf("the archive holds a Git repository, %q", git), "unpack the archive, and push the directory")
		}
		if !filepath.IsLocal(filepath.FromSlash(header.Name)) {
			return fail.Refusedf("the archive holds the path %q, which leads out of the module", header.Name)
		}
	}
}
