// SPDX-License-Identifier: Apache-2.0

package buildcmd

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

// target checks --push before anything is rendered.
func (o *options) target() (ref.Reference, error) {
	if o.push == "" {
		return ref.Reference{}, nil
	}
	if o.printing != (printing{output: "yaml", emit: emit{target: o.printing.emit.target, secrets: o.printing.emit.secrets}}) || o.printing.emit.whole() {
		return ref.Reference{}, fail.Usagef("--push pushes the objects as they are: leave out what says how to print them")
	}
	r, err := ref.Parse(o.push)
	if err == nil && (r.IsLocal() || r.Digest != "") {
		return ref.Reference{}, fail.Usagef("--push %s: not of the form oci://HOST/PATH[:TAG]", o.push)
	}
	return r, err
}

// pushTo does what 'artifact push -f - --format=flux' does with the objects.
func (o *options) pushTo(ctx context.Context, target ref.Reference, registryOptions oci.Options, objects []byte) error {
	pushed, err := artifact.PushObjects(ctx, target, objects, o.env.Getenv("SOURCE_DATE_EPOCH"), registryOptions)
	if err != nil {
		return err
	}
	return ui.Value(o.env.Stdout, "", pushed)
}
