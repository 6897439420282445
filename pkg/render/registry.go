// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"fmt"

	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// refusal is the CUE registry of a renderer that never asks one (DESIGN.md,
// decision 14). A nil registry would be configured from the environment.
type refusal struct{}

var _ modconfig.Registry = refusal{}

func refuse(module any) error {
	return fmt.Errorf("%s would have to come from a CUE registry, which is not asked: put it into cue.mod/pkg", module)
}

// ModFile refuses.
func (refusal) ModFile(_ context.Context, mv module.Version) (*modfile.File, error) {
	return nil, refuse(mv)
}

// Fetch refuses.
func (refusal) Fetch(_ context.Context, mv module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, refuse(mv)
}

// ModuleVersions says that there are none, so that a package that is nowhere
// is reported as such.
func (refusal) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }
