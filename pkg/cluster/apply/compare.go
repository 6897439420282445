// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/fieldset"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
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

// decideRecreate decides a step whose update the server calls invalid. When the
// same object would be accepted as a new one, and the server says that a field
// is immutable, recreating the object makes the change, if that is asked for.
// Otherwise the update is refused as it is: by a rule of the kind or by an
// admission policy, which recreating must not go around.
func (e *Engine) decideRecreate(ctx context.Context, req Request, s *Step, invalid error) error {
	elsewhere, err := e.askForCopy(ctx, s, kinds.WithoutHeld(s.Object, s.Live))
	if err != nil {
		return s.recordVerdict(invalid)
	}
	decided, err := e.dropDefaults(ctx, s, elsewhere, invalid)
	if decided || err != nil {
		return err
	}
	if !isImmutable(invalid) {
		return s.recordVerdict(invalid)
	}
	if !req.Force && !s.Object.IsEnabled(api.AnnotationForce) {
		return s.recordVerdict(&ImmutableError{Object: s.Ref(), Protected: s.Object.IsProtected(), Err: invalid})
	}
	if s.Object.IsProtected() {
		s.refuse(&ProtectedError{Object: s.Ref(), Verb: "recreated", Err: invalid})
		return nil
	}
	s.Action, s.Reason = event.Recreated, kinds.WithClaims("an immutable field changes", s.Object, s.Live)
	s.next = kinds.Recreated(s.Object, elsewhere)
	return nil
}

// immutableRE matches how the API server, and CustomResourceDefinitions with
// their rules, say that a field cannot change: apimachinery's "field is
// immutable", "updates to statefulset spec for fields other than", "spec is
// immutable after creation", "may not change once set", "cannot change roleRef".
var immutableRE = regexp.MustCompile(`(?i)immutable|(?:can ?not|may not|must not|not) (?:be )?(?:change|update|modif)|updates to .*forbidden|forbidden: .*updates|once set|oldSelf`)

// deniedRE matches the answers of admission webhooks and policies.
var deniedRE = regexp.MustCompile(`(?i)denied (?:the )?request|ValidatingAdmissionPolicy|admission webhook`)

// isImmutable says whether the server refuses the change of an immutable field,
// and not a value or the whole request.
func isImmutable(err error) bool {
	return immutableRE.MatchString(err.Error()) && !deniedRE.MatchString(err.Error())
}

// recreate deletes the live object, waits until it is gone and creates the new
// one. When the server does not take it after all, the old one is put back.
func (e *Engine) recreate(ctx context.Context, req Request, s *Step) (api.Object, error) {
	if err := e.Client.Delete(ctx, s.Resource, s.Live); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("delete it for recreation: %w", err)
	}
	if err := e.remover().WaitGone(ctx, req.waitLimit(), []*survey.Item{&s.Item}); err != nil {
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
		_, err := e.Client.Create(ctx, s.Resource, kinds.AsRead(s.Live), kube.Real)
		return err
	})
}

// keepSize leaves a claim that was expanded since at its size: a smaller one is
// refused by the server, and would hold up the upgrade of everything else.
func (e *Engine) keepSize(s *Step) {
	kept, wanted, smaller := kinds.KeepSize(s.Object, s.Live)
	if !smaller {
		return
	}
	s.Reason = fmt.Sprintf("its size of %s is kept", kept)
	e.observe(event.Warning{Text: fmt.Sprintf("%s keeps its size of %s: the module asks for %s, and a claim cannot become smaller",
		s.Ref(), kept, wanted)})
}
