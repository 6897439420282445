// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"sync"
)

// DefaultConcurrency is the maximum number of concurrent requests. The API
// server's priority and fairness shares its capacity; the number only bounds
// sockets.
const DefaultConcurrency = 64

// Each calls do for every item, limit of them at a time, and joins the errors in
// the order of the items.
func Each[T any](limit int, items []T, do func(T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(item)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
