// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// readValues reads what the selected instances take their values from. What comes
// from a Secret or was encrypted is hidden from then on.
func (b *Bundle) readValues(ctx context.Context, site Site, decrypt sops.Decrypter) error {
	var all []values.Source
	var errs []error
	for i, in := range b.Selected {
		var sources []values.Source
		for _, o := range in.From {
			read, err := readOrigin(ctx, site, in.Namespace, o, decrypt)
			errs = append(errs, o.Explain(in.Name, err))
			sources = append(sources, read)
		}
		all = append(all, sources...)
		b.Requests[i].Values = append(sources, b.Requests[i].Values...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	hide, secret := values.MaskSecret(all), b.secret
	b.secret = func(text string) string { return hide(secret(text)) }
	return nil
}

func readOrigin(ctx context.Context, site Site, namespace string, o bundle.Origin, decrypt sops.Decrypter) (values.Source, error) {
	if o.File != "" {
		source, err := values.ReadFile(ctx, o.File)
		if err != nil {
			return source, err
		}
		return source.Decrypted(ctx, decrypt)
	}
	client, err := site.client()
	if err != nil {
		return values.Source{}, err
	}
	return deploy.ReadReference(ctx, client, namespace, o.Object)
}
