// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/survey"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
)

// Ahead is what the cluster was asked about an instance before it is known what
// is to be applied: while its module is rendered, say. It counts for one plan,
// as what is planned again is planned on what is there then.
type Ahead struct {
	isTaken atomic.Bool
	exists  *kube.Answer[bool] // its namespace
	read
}

// read is what a plan begins with.
type read struct {
	record *kube.Answer[*store.Record] // nil when there is none
	ledger *kube.Answer[*store.Ledger]
	lists  *kube.Answer[survey.Lists]
}

// ReadAhead asks for all that a plan needs to know of an instance, without
// waiting for an answer before the next question, but that its objects are listed
// when its record has told their kinds. The record may be given. The questions
// end with ctx.
func (e *Engine) ReadAhead(ctx context.Context, m api.Metadata, record *store.Record) *Ahead {
	a := &Ahead{
		exists: kube.Ask(func() (bool, error) { return e.namespaceExists(ctx, m.Namespace) }),
		read:   e.read(ctx, m, record),
	}
	a.lists = kube.Ask(func() (survey.Lists, error) {
		e.Client.LearnKinds()
		found, err := a.record.Wait(ctx)
		return e.reader().ListAhead(ctx, found), err
	})
	return a
}

// ahead returns what was asked for a request, or asks now.
func (e *Engine) ahead(ctx context.Context, req Request) *Ahead {
	if req.Ahead != nil && !req.Ahead.isTaken.Load() {
		return req.Ahead
	}
	return e.ReadAhead(ctx, req.Instance.Metadata, nil)
}

// Last returns the revision that the record holds or wants, and false when the
// history does not have it.
func (a *Ahead) Last(ctx context.Context) (store.Revision, bool, error) {
	record, err := a.record.Wait(ctx)
	if err != nil || record == nil {
		return store.Revision{}, false, err
	}
	ledger, err := a.ledger.Wait(ctx)
	if err != nil {
		return store.Revision{}, false, err
	}
	last, known := ledger.Last(record)
	return last, known, nil
}

// Settle waits until all answers have come, whatever they are.
func (a *Ahead) Settle(ctx context.Context) {
	_, _ = a.exists.Wait(ctx)
	_, _ = a.ledger.Wait(ctx)
	_, _ = a.lists.Wait(ctx)
}

// namespace says whether the namespace of a request exists, as it was asked ahead
// or is asked now.
func (e *Engine) namespace(ctx context.Context, req Request) (bool, error) {
	if a := req.Ahead; a != nil && !a.isTaken.Load() {
		return a.exists.Wait(ctx)
	}
	return e.namespaceExists(ctx, req.Instance.Metadata.Namespace)
}

// readFor returns what a plan begins with, as it was asked ahead, or asks now.
func (e *Engine) readFor(ctx context.Context, req *Request) read {
	a := req.Ahead
	req.Ahead = nil
	if a != nil && !a.isTaken.Swap(true) {
		return a.read
	}
	return e.read(ctx, req.Instance.Metadata, nil)
}

// read asks for record and ledger of an instance together.
func (e *Engine) read(ctx context.Context, m api.Metadata, record *store.Record) read {
	return read{
		record: kube.Ask(func() (*store.Record, error) {
			if record != nil {
				return record, nil
			}
			found, err := e.Store.Get(ctx, m.Namespace, m.Name)
			if errors.Is(err, store.ErrNotFound) {
				return nil, nil
			}
			return found, err
		}),
		ledger: kube.Ask(func() (*store.Ledger, error) { return e.Store.Ledger(ctx, m.Namespace, m.Name) }),
		lists:  kube.Ask(func() (survey.Lists, error) { return nil, nil }),
	}
}
