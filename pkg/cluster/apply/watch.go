// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Watch returns a channel that tells that an object of a record may have
// changed: one message may stand for several changes. It ends with ctx.
func (e *Engine) Watch(ctx context.Context, record *store.Record) (<-chan struct{}, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	all := e.follow(ctx, steps)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-all:
			}
			select {
			case changed <- struct{}{}:
			default: // it was told already
			}
		}
	}()
	return changed, nil
}
