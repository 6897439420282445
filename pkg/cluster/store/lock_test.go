// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func leases() kube.Resource {
	return kube.Resource{
		GroupVersionResource: schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, Namespaced: true,
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	s := store.New(client)
	alive := func(int) bool { return true }
	one := store.Holder{Machine: "m", Pid: 1, Alive: alive}
	silent := func(string) {}

	_, lock, err := s.Lock(t.Context(), ns, "app", one, time.Second, silent)
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	_, _, err = s.Lock(t.Context(), ns, "app", store.Holder{Machine: "m", Pid: 2, Alive: alive}, time.Second, func(owner string) { told = owner })
	if codeOf(err) != fail.Refused || !strings.HasPrefix(told, "m/1/") {
		t.Errorf("a lock that is held: %v, held by %q", err, told)
	}
	// A process of another machine is not known to be dead.
	_, _, err = s.Lock(t.Context(), ns, "app", store.Holder{Machine: "other", Pid: 2, Alive: func(int) bool { return false }}, time.Second, silent)
	if codeOf(err) != fail.Refused {
		t.Errorf("a lock held elsewhere: %v", err)
	}
	held, taken, err := s.Lock(t.Context(), ns, "app", store.Holder{Machine: "m", Pid: 3, Alive: func(int) bool { return false }}, time.Second, silent)
	if err != nil {
		t.Fatalf("the lock of a dead process: %v", err)
	}
	// Its former holder must not take the lock away from the new one.
	if err := lock.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := client.Get(t.Context(), leases(), ns, "timoni.app"); err != nil {
		t.Errorf("the lock is gone: %v", err)
	}
	if held.Err() != nil {
		t.Errorf("the holder's context ended: %v", context.Cause(held))
	}
	if err := taken.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, lock, err = s.Lock(t.Context(), ns, "app", one, time.Second, silent); err != nil {
		t.Fatalf("a lock that was released: %v", err)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLostLock holds that who loses the lock is told to stop.
func TestLostLock(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	held, lock, err := store.New(client).Lock(t.Context(), ns, "app", store.Holder{}, time.Second, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := client.Get(t.Context(), leases(), ns, "timoni.app")
	if err != nil {
		t.Fatal(err)
	}
	lease["spec"].(map[string]any)["holderIdentity"] = "other/1/x"
	if _, err := client.Update(t.Context(), leases(), lease); err != nil {
		t.Fatal(err)
	}
	select {
	case <-held.Done():
	case <-time.After(20 * time.Second):
	}
	if !errors.Is(context.Cause(held), store.ErrLost) {
		t.Errorf("cause %v", context.Cause(held))
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestFence holds that a holder that was suspended renews the lock before it
// writes, and writes nothing when another has taken it.
func TestFence(t *testing.T) {
	t.Parallel()
	client, ns := connect(t)
	held, lock, err := store.New(client).Lock(t.Context(), ns, "app", store.Holder{}, time.Second, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string) error {
		_, err := client.Create(held, kube.ConfigMaps(), map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": ns},
		}, kube.Real)
		return err
	}
	renewed := func() any {
		lease, err := client.Get(t.Context(), leases(), ns, "timoni.app")
		if err != nil {
			t.Fatal(err)
		}
		return lease["spec"].(map[string]any)["renewTime"]
	}
	before := renewed()
	if lock.Backdate(6 * time.Second); write("renewed") != nil || renewed() == before {
		t.Error("the lock was not renewed before the write")
	}
	// A clock that was set back proves nothing.
	before = renewed()
	if lock.Backdate(-time.Hour); write("set-back") != nil || renewed() == before {
		t.Error("the lock was not renewed after the clock was set back")
	}
	lease, err := client.Get(t.Context(), leases(), ns, "timoni.app")
	if err != nil {
		t.Fatal(err)
	}
	lease["spec"].(map[string]any)["holderIdentity"] = "other/1/x"
	if _, err := client.Update(t.Context(), leases(), lease); err != nil {
		t.Fatal(err)
	}
	lock.Backdate(6 * time.Second)
	if err := write("lost"); !errors.Is(err, store.ErrLost) || !errors.Is(context.Cause(held), store.ErrLost) {
		t.Errorf("error %v, cause %v", err, context.Cause(held))
	}
	if _, err := client.Get(t.Context(), kube.ConfigMaps(), ns, "lost"); err == nil {
		t.Error("the object was written")
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
