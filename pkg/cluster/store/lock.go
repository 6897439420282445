// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// The times of the Lease (docs/design.md, decision 8).
const (
	leaseDuration = 15 * time.Second
	leaseRenewal  = 5 * time.Second
	leaseLook     = 500 * time.Millisecond // how often a lock of others is looked at
)

// Holder says which process holds a lock, precisely enough that another one on
// the same machine can tell that it is dead. Where Machine is empty, no process
// can.
type Holder struct {
	Machine string // the same for all processes that see each other's ids, until the next boot
	Pid     int
	Alive   func(pid int) bool // nil when it cannot be told
}

// Lock is an instance's Lease, held by this process and renewed until it is released.
type Lock struct {
	store    Store
	identity string
	stop     context.CancelFunc
	lose     context.CancelCauseFunc
	done     sync.WaitGroup
	taken    bool // from another holder

	mu      sync.Mutex
	lease   api.Object
	renewed time.Time // by the wall clock
}

// Taken says whether the lock was another holder's when it was first looked at:
// what was read before may have changed since.
func (l *Lock) Taken() bool { return l.taken }

// ErrLost is the cause of the context of a run whose lock another run took.
var ErrLost = errors.New("the lock of the instance was lost")

func leases() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
		Kind:                 "Lease", Namespaced: true,
	}
}

// Locked runs do while it holds the lock of an instance, and tells it whether
// the lock was another run's, which may have changed what was read before. Who
// may not lock is warned and works without: the rights on Leases are newer than
// those on the objects of an instance.
func (s Store) Locked(ctx context.Context, m api.Metadata, h Holder, patience time.Duration, warn func(text string), do func(_ context.Context, taken bool) error) (err error) {
	waiting := func(owner string) {
		warn(fmt.Sprintf("waiting for the lock of instance %q, which %s holds", m.Name, mask.Line(owner)))
	}
	held, lock, err := s.Lock(ctx, m.Namespace, m.Name, h, patience, waiting)
	if apierrors.IsForbidden(err) {
		warn("without a lock, so do not apply this instance twice at once: " + err.Error())
		return do(ctx, false)
	}
	if err != nil {
		return err
	}
	defer func() {
		late, cancel := kube.Detached(ctx)
		defer cancel()
		err = kube.Join(err, lock.release(late))
	}()
	return do(held, lock.Taken())
}

// Lock takes the lock of an instance. While another run holds it, it waits,
// up to a patience (0 is for ever), after it has said whose it is to waiting.
// The context that it returns ends when the lock is lost; the error for
// a lock that others hold is a *LockedError.
func (s Store) Lock(ctx context.Context, namespace, name string, h Holder, patience time.Duration, waiting func(owner string)) (context.Context, *Lock, error) {
	l := &Lock{store: s, identity: h.identity()}
	var deadline <-chan time.Time
	if patience > 0 {
		deadline = time.After(patience)
	}
	other := observed{}
	for {
		taken, err := l.try(ctx, namespace, name, h, &other)
		if err != nil {
			return nil, nil, fmt.Errorf("lock instance %q in namespace %q: %w", name, namespace, err)
		}
		if taken {
			l.taken = other.owner != ""
			held := l.keep(ctx)
			return held, l, nil
		}
		if !other.told {
			other.told = true
			waiting(other.owner)
		}
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-deadline:
			return nil, nil, &LockedError{Namespace: namespace, Name: name, Holder: other.owner}
		case <-time.After(leaseLook):
		}
	}
}

// observed is the state of another run's lock. That it has expired
// is judged by how long it was seen unchanged, since clocks differ.
type observed struct {
	owner, renewed string
	since          time.Time
	told           bool
}

// try takes the lock if it is free, expired or that of a dead process.
func (l *Lock) try(ctx context.Context, namespace, name string, h Holder, other *observed) (bool, error) {
	lease := api.Object{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"metadata": map[string]any{
			"name": api.RecordPrefix + name, "namespace": namespace,
			"labels": map[string]any{api.LabelName: name, api.LabelComponent: "lock"},
		},
		"spec": l.spec(),
	}
	asked := wallClock()
	live, err := l.store.client.Create(ctx, leases(), lease, kube.Real)
	if err == nil {
		l.lease, l.renewed = live, asked
		return true, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return false, err
	}
	live, err = l.store.client.Get(ctx, leases(), namespace, lease.Name())
	if apierrors.IsNotFound(err) {
		return false, nil // just released: the next look takes it
	}
	if err != nil {
		return false, err
	}
	spec, _ := live["spec"].(map[string]any)
	owner, renewed := holderOf(live), fmt.Sprint(spec["renewTime"])
	if owner != other.owner || renewed != other.renewed {
		other.owner, other.renewed, other.since = owner, renewed, time.Now()
	}
	if !h.isDead(owner) && time.Since(other.since) < leaseDuration {
		return false, nil
	}
	live["spec"] = l.spec()
	asked = wallClock()
	live, err = l.store.client.Update(ctx, leases(), live)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return false, nil // another run was faster
	}
	l.lease, l.renewed = live, asked
	return err == nil, err
}

func (l *Lock) spec() map[string]any {
	now := metav1.NowMicro().UTC().Format(metav1.RFC3339Micro)
	return map[string]any{
		"holderIdentity": l.identity, "leaseDurationSeconds": int64(leaseDuration / time.Second),
		"acquireTime": now, "renewTime": now,
	}
}

// keep renews the lock until it is released. The context that it returns ends when
// that is not possible in time, and each write in it passes the lock's fence.
func (l *Lock) keep(ctx context.Context) context.Context {
	held, lose := context.WithCancelCause(ctx)
	var renewing context.Context
	renewing, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.lose = lose
	l.done.Go(func() {
		for {
			select {
			case <-renewing.Done():
				return
			case <-time.After(leaseRenewal):
			}
			if l.renewNow(renewing) != nil {
				return
			}
		}
	})
	return kube.WithFence(held, l.fence)
}

// fence lets a write through as long as the lock is held for certain. A process
// that was suspended does not know it: its timers stood still, or fire late, and
// another may have taken the lock. So the wall clock is asked before each write,
// and the lock renewed first when that was long ago. The write ends with the
// lease.
func (l *Lock) fence(ctx context.Context) (context.Context, context.CancelFunc, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := l.age(); age < 0 || age > leaseDuration/3 {
		if err := l.renew(ctx); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithDeadlineCause(ctx, l.renewed.Add(leaseDuration), ErrLost)
	return ctx, cancel, nil
}

// wallClock returns the time without Go's monotonic reading, which stands still
// while a machine sleeps.
func wallClock() time.Time { return time.Now().Round(0) }

// age returns how long ago the lock was renewed. It is negative when the clock
// was set back.
func (l *Lock) age() time.Duration { return wallClock().Sub(l.renewed) }

func (l *Lock) renewNow(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.renew(ctx)
}

// renew renews the lock. An error of the server that leaves time to try again is
// none. When the lock is lost, the context of the holder ends too.
func (l *Lock) renew(ctx context.Context) error {
	asked := wallClock()
	next, err := l.update(ctx)
	if err == nil {
		l.lease, l.renewed = next, asked
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // of one write, or of the end of the run
	}
	isTaken := apierrors.IsConflict(err) || apierrors.IsNotFound(err)
	if age := l.age(); !isTaken && age >= 0 && age < leaseDuration {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrLost, err)
	l.lose(err)
	return err
}

func (l *Lock) update(ctx context.Context) (api.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, leaseDuration)
	defer cancel()
	next, err := l.store.client.Update(ctx, leases(), l.renewal())
	if !apierrors.IsConflict(err) {
		return next, err
	}
	// The answer to an earlier renewal may have been lost on the way.
	live, failed := l.store.client.Get(ctx, leases(), l.lease.Namespace(), l.lease.Name())
	if failed != nil || kube.UID(live) != kube.UID(l.lease) || holderOf(live) != l.identity {
		return nil, err
	}
	l.lease = live
	return l.store.client.Update(ctx, leases(), l.renewal())
}

// renewal returns the lease with a new time.
func (l *Lock) renewal() api.Object {
	lease, spec := l.lease.DeepCopy(), l.spec()
	spec["acquireTime"] = lease["spec"].(map[string]any)["acquireTime"]
	lease["spec"] = spec
	return lease
}

func holderOf(lease api.Object) string {
	spec, _ := lease["spec"].(map[string]any)
	return fmt.Sprint(spec["holderIdentity"])
}

// release gives the lock back, unless another run has taken it.
func (l *Lock) release(ctx context.Context) error {
	l.stop()
	l.done.Wait()
	err := l.store.client.DeleteUnchanged(ctx, leases(), l.lease)
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("release the lock: %w", err)
}

// identity returns MACHINE/PID/RANDOM. The last part tells two locks of one
// process apart.
func (h Holder) identity() string {
	return h.Machine + "/" + strconv.Itoa(h.Pid) + "/" + rand.Text()[:6]
}

// isDead says whether an owner was a process of this machine that is gone.
func (h Holder) isDead(owner string) bool {
	parts := strings.Split(owner, "/")
	if len(parts) != 3 || h.Alive == nil || h.Machine == "" || parts[0] != h.Machine {
		return false
	}
	pid, err := strconv.Atoi(parts[1])
	return err == nil && !h.Alive(pid)
}
