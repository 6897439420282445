// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// imagesFile lists the container images of a module, as values.
const imagesFile = "images.cue"

// ImagesFile returns the references of the images that the images.cue of the
// module in dir lists, sorted, and none when there is no such file. The file
// is evaluated on its own, with what it imports.
func ImagesFile(dir string) ([]string, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err = os.Stat(filepath.Join(root, imagesFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	inst := load.Instances([]string{imagesFile}, &load.Config{
		Dir: root, ModuleRoot: root, AcceptLegacyModules: true, Registry: values.NoRegistry{}, Env: []string{},
	})[0]
	v := cuecontext.New().BuildInstance(inst)
	if err = values.Check(v); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", imagesFile, dir, err)
	}
	var images []string
	collectListed(v.LookupPath(cue.ParsePath("values")), &images)
	slices.Sort(images)
	return slices.Compact(images), nil
}

// collectListed is collectImages for structs whose reference is not made
// of its parts yet.
func collectListed(v cue.Value, images *[]string) {
	fields, err := v.Fields()
	if err != nil {
		return
	}
	part := func(name string) string {
		s, _ := v.LookupPath(cue.MakePath(cue.Str(name))).String()
		return s
	}
	repository, tag, digest := part("repository"), part("tag"), part("digest")
	if repository != "" && (tag != "" || digest != "") {
		if tag != "" {
			repository += ":" + tag
		}
		if digest != "" {
			repository += "@" + digest
		}
		*images = append(*images, repository)
	}
	for fields.Next() {
		collectListed(fields.Value(), images)
	}
}
