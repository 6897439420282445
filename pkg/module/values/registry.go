// SPDX-License-Identifier: Apache-2.0

package values

import (
	"context"
	"fmt"

	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// NoRegistry is the CUE registry of who never asks one (docs/design.md,
// decision 14). A nil registry would be configured from the environment.
type NoRegistry struct{}

var _ modconfig.Registry = NoRegistry{}

func refuseModule(module any) error {
	return fmt.Errorf("%s would have to come from a CUE registry, which is not asked: put it into cue.mod/pkg", module)
}

// ModFile refuses.
func (NoRegistry) ModFile(_ context.Context, mv module.Version) (*modfile.File, error) {
	return nil, refuseModule(mv)
}

// Fetch refuses.
func (NoRegistry) Fetch(_ context.Context, mv module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, refuseModule(mv)
}

// ModuleVersions says that there are none, so that a package that is nowhere
// is reported as such.
func (NoRegistry) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }
