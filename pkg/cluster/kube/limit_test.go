// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// TestDetached holds that what must be written at the end of a run has all the
// time that a slow server needs, and after an interrupt a limited one.
func TestDetached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		late, stop := kube.Detached(ctx)
		defer stop()
		time.Sleep(24 * time.Hour)
		if late.Err() != nil {
			t.Errorf("it ended although nothing interrupted the run: %v", context.Cause(late))
		}
		interrupt()
		time.Sleep(kube.Grace - time.Second)
		if late.Err() != nil {
			t.Errorf("it ended %s after an interrupt: %v", kube.Grace-time.Second, context.Cause(late))
		}
		time.Sleep(2 * time.Second)
		if !kube.TimedOut(late) {
			t.Error("it did not end after an interrupt")
		}
		over, stop := kube.Detached(ctx)
		if over.Err() != nil {
			t.Errorf("it is over at once after an interrupt: %v", context.Cause(over))
		}
		stop()
		if over.Err() == nil {
			t.Error("it is not over after its end")
		}
	})
}
