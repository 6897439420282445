// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// watchPause is the time before a watch that broke is taken up again.
const watchPause = time.Second

// Watch calls changed after each change of the records of a namespace, or of
// all when it is empty, or of one of them when it is named, and once at the
// beginning. Changes that come in quick succession may be taken for one. It
// ends with ctx, with the error of changed, or when the records may not be
// watched.
func (s Store) Watch(ctx context.Context, namespace, name string, changed func() error) error {
	selector := records()
	if name != "" {
		selector = kube.ByName(api.RecordPrefix + name)
	}
	for ctx.Err() == nil {
		_, version, err := s.client.List(ctx, secrets(), namespace, selector)
		if err != nil {
			return fmt.Errorf("watch the instance records: %w", err)
		}
		w, err := s.client.Watch(ctx, secrets(), namespace, selector, version)
		if err != nil {
			return fmt.Errorf("watch the instance records: %w", err)
		}
		err = drain(w, changed)
		w.Stop()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
	return context.Cause(ctx)
}

// drain calls changed at first and after each change, until the watch ends.
func drain(w watch.Interface, changed func() error) error {
	for {
		if err := changed(); err != nil {
			return err
		}
		e, ok := <-w.ResultChan()
		for ok && e.Type == watch.Bookmark {
			e, ok = <-w.ResultChan()
		}
		if !ok || e.Type == watch.Error {
			return nil
		}
	}
}
