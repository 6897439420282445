// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"
)

// Backdate makes the lock believe that its last renewal was earlier, as the
// holder does that was suspended.
func (l *Lock) Backdate(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = l.renewed.Add(-d)
}

// Release gives a lock back.
func (l *Lock) Release(ctx context.Context) error { return l.release(ctx) }
