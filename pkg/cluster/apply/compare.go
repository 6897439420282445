// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// sameState says whether two states of an object differ in nothing but the
// server's bookkeeping. The set of fields that we own counts: a field that the
// module has taken up must become ours even when its value stays.
func sameState(m fieldset.Manager, live, next api.Object) bool {
	return fieldset.Same(m.Applied(live), m.Applied(next)) &&
		reflect.DeepEqual(withoutServerMetadata(live), withoutServerMetadata(next))
}

func withoutServerMetadata(o api.Object) api.Object {
	c := maps.Clone(o)
	metadata, _ := o["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
		delete(metadata, field)
	}
	c["metadata"] = metadata
	return c
}

// decideRecreate decides a step whose update the server calls invalid. When
// the same object would be accepted as a new one, what is refused is the
// change of an immutable field: recreating the object makes it, if
// that is asked for. Otherwise the object itself is invalid.
func (e *Engine) decideRecreate(ctx context.Context, req Request, s *Step, invalid error) error {
	elsewhere, err := e.askForCopy(ctx, s, withoutHeld(s.Object, s.live))
	if err != nil {
		return s.recordVerdict(invalid)
	}
	decided, err := e.dropDefaults(ctx, s, elsewhere, invalid)
	if decided || err != nil {
		return err
	}
	if !req.Force && !isEnabled(s.Object, api.AnnotationForce) {
		return s.recordVerdict(withRecreateHint(s, invalid))
	}
	if s.Object.IsProtected() {
		s.refuse(fail.Refusedf("%s: a %s is never recreated, its content would be lost: %w", s.Ref(), s.Object.Kind(), invalid))
		return nil
	}
	s.Action, s.Reason = event.Recreated, withClaims("an immutable field changes", s)
	s.next = recreated(s, elsewhere)
	return nil
}

// recreated returns what a recreated object will be, from what the server made
// of a copy under another name: nil where parts of it follow from the name, or
// where the copy could not have what the live object holds.
func recreated(s *Step, elsewhere api.Object) api.Object {
	if elsewhere == nil || isService(s.Object) || s.Object.Group() == "batch" {
		return nil
	}
	next := elsewhere.DeepCopy()
	next["metadata"].(map[string]any)["name"] = s.Object.Name()
	return next
}

// renamed returns an object under another name, as one that could exist next to
// the live one.
func renamed(o api.Object) api.Object {
	c := o.DeepCopy()
	name := o.Name()
	if len(name) > 50 { // leaves room for the suffix in a name of 63 characters
		name = name[:50]
	}
	c["metadata"].(map[string]any)["name"] = name + "-recreate"
	return c
}

// withoutHeld returns a copy of an object without the addresses and ports that a
// live one holds. Others stay, so that the server says whether they are free.
func withoutHeld(o, live api.Object) api.Object {
	c := o.DeepCopy()
	if !isService(o) || !isService(live) {
		return c
	}
	spec, _ := c["spec"].(map[string]any)
	held, _ := live["spec"].(map[string]any)
	for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
		if reflect.DeepEqual(spec[field], held[field]) {
			delete(spec, field)
		}
	}
	taken := map[string]bool{} // by its text, as one may be decoded as int64 and the other as float64
	for _, port := range portsOf(held) {
		taken[fmt.Sprint(port["nodePort"])] = true
	}
	for _, port := range portsOf(spec) {
		if taken[fmt.Sprint(port["nodePort"])] {
			delete(port, "nodePort")
		}
	}
	return c
}

func isService(o api.Object) bool { return o.Group() == "" && o.Kind() == "Service" }

func portsOf(spec map[string]any) []map[string]any {
	list, _ := spec["ports"].([]any)
	var ports []map[string]any
	for _, p := range list {
		if port, ok := p.(map[string]any); ok {
			ports = append(ports, port)
		}
	}
	return ports
}

// recreate deletes the live object, waits until it is gone and creates the new
// one. When the server does not take it after all, the old one is put back.
func (e *Engine) recreate(ctx context.Context, req Request, s *Step) (api.Object, error) {
	if err := e.Client.Delete(ctx, s.Resource, s.live); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("delete it for recreation: %w", err)
	}
	if err := e.waitGoneFor(ctx, req.Timeout, []*Step{s}); err != nil {
		return nil, err
	}
	s.gone = true
	var got api.Object
	err := untilCounted(ctx, req.Timeout, func() (err error) {
		got, err = e.Client.ApplyNew(ctx, s.Resource, s.Object, kube.Real)
		return err
	})
	if err == nil || apierrors.IsConflict(err) { // another client took the name
		return got, err
	}
	if back := e.createAgain(ctx, req.Timeout, s); back != nil {
		return nil, fmt.Errorf("recreate it: %w; putting the old one back: %w", err, back)
	}
	return nil, fmt.Errorf("recreate it: %w; the old one was put back", err)
}

// createAgain creates the live object of a step, which was deleted, as it was.
// The cancellation of ctx does not end it: an interrupt must not leave nothing.
func (e *Engine) createAgain(ctx context.Context, timeout time.Duration, s *Step) error {
	ctx, cancel := kube.Detached(ctx)
	defer cancel()
	return untilCounted(ctx, timeout, func() error {
		_, err := e.Client.Create(ctx, s.Resource, asRead(s.live), kube.Real)
		return err
	})
}

// asRead returns a live object in the form in which it can be created again.
func asRead(live api.Object) api.Object {
	c := live.DeepCopy()
	delete(c, "status")
	metadata := c["metadata"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"} {
		delete(metadata, field)
	}
	return c
}
