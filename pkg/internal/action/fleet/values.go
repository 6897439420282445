// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Values are what a runtime has read from a cluster.
type Values struct {
	All    bundle.Runtime
	Secret bundle.Runtime // those that must not be shown
}

// ReadValues carries the queries of a runtime out. Later values win. The error
// joins one for each query that failed.
func ReadValues(ctx context.Context, site Site, d bundle.Definition) (Values, error) {
	values := Values{All: bundle.Runtime{}, Secret: bundle.Runtime{}}
	var errs []error
	for _, q := range d.Queries {
		read, err := query(ctx, site, q)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		maps.Copy(values.All, read)
		if q.IsSecret() {
			maps.Copy(values.Secret, read)
		}
	}
	if site.Name != "" {
		values.All[bundle.ClusterName], values.All[bundle.ClusterGroup] = site.Name, site.Group
	}
	return values, errors.Join(errs...)
}

func query(ctx context.Context, site Site, q bundle.Query) (bundle.Runtime, error) {
	gv, err := schema.ParseGroupVersion(q.APIVersion)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", q, err)
	}
	resource, err := site.Client.Resource(gv.WithKind(q.Kind))
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", q, err)
	}
	namespace, name, err := q.Object(resource.Namespaced)
	if incomplete, ok := errors.AsType[*bundle.QueryError](err); ok {
		return nil, fail.Hint(err, "write %s", incomplete.Complete())
	}
	if err != nil {
		return nil, err
	}
	object, err := site.Client.Get(ctx, resource, namespace, name)
	switch {
	case apierrors.IsNotFound(err) && q.Optional:
		return bundle.Runtime{}, nil
	case err != nil:
		return nil, fmt.Errorf("query %q: %w", q, err)
	}
	if q.IsSecret() {
		if object, err = decoded(object); err != nil {
			return nil, fmt.Errorf("query %q: %w", q, err)
		}
	}
	return q.Evaluate(object)
}

// decoded returns a Secret with its data as text.
func decoded(secret api.Object) (api.Object, error) {
	secret = secret.DeepCopy()
	data, _ := secret["data"].(map[string]any)
	for key, value := range data {
		text, _ := value.(string)
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("data key %q is not base64", key)
		}
		data[key] = string(plain)
	}
	return secret, nil
}
