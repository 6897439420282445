// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
)

// sharedError refuses an object that two instances of a bundle render: each
// would take it from the other.
type sharedError struct {
	Object        event.Object
	First, Second string // the instances, in the order of the bundle
}

// Error names the object and both instances.
func (e *sharedError) Error() string {
	return fmt.Sprintf("%s is rendered by instance %q and by instance %q: an object has one owner", e.Object, e.First, e.Second)
}

// user is an instance that renders an object.
type user struct {
	name, module string
	object       api.Object
}

// users are the first instances that render objects.
type users map[api.ID]user

// add refuses an object that an instance before this one renders. Two may have a
// CustomResourceDefinition of one module in common, and an object that each only
// creates if it does not exist.
func (all users) add(id api.ID, u user) error {
	first, taken := all[id]
	switch {
	case !taken:
		all[id] = u
	case first.name != u.name && !first.shares(u):
		o := u.object.Ref()
		o.Namespace = id.Namespace
		return fail.With(fail.Refused, &sharedError{Object: o, First: first.name, Second: u.name})
	}
	return nil
}

// checkShared refuses objects that several of the instances render; a result is
// nil where one could not be rendered. An object of unknown scope that names no
// namespace is taken for one of the instance's.
func checkShared(instances []bundle.Instance, rendered []*build.Result) error {
	all := users{}
	var errs []error
	for i, result := range rendered {
		if result == nil {
			continue
		}
		for _, o := range result.Objects() {
			id := o.ID()
			if slices.Contains(result.Unscoped, id) {
				id.Namespace = instances[i].Namespace
			}
			errs = append(errs, all.add(id, user{instances[i].Name, result.Module.Name, o}))
		}
	}
	return errors.Join(errs...)
}

// checkShared does the same with what the server says of the scope of kinds.
func (r *run) checkShared() error {
	all := users{}
	var errs []error
	for _, it := range r.items {
		for _, s := range it.plan.Steps {
			errs = append(errs, all.add(s.Object.ID(), user{it.Name, it.rendered.Module.Name, s.Object}))
		}
	}
	return errors.Join(errs...)
}

// shares says whether two instances may render an object.
func (u user) shares(other user) bool {
	isOneOff := func(o api.Object) bool { return o.IsEnabled(api.AnnotationOneOff) }
	if isOneOff(u.object) && isOneOff(other.object) {
		return true
	}
	return u.object.Is("apiextensions.k8s.io", "CustomResourceDefinition") && u.module == other.module &&
		reflect.DeepEqual(u.object["spec"], other.object["spec"])
}
