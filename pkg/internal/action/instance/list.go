// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"reflect"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/state"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Summary is an instance as a list shows it.
type Summary struct {
	Key
	Module         api.Module
	LastTransition string // RFC 3339
	State          State
	Bundle         string // that owns it, empty when none does
	Images         []string
	Objects        int // how many it has

	// Wanted is the module of the last run, and Complete that of the last
	// revision that was applied in full, nil when none was.
	Wanted   api.Module
	Complete *api.Module

	Ready *bool // whether all of them are, nil when that was not asked for
}

// State says how the last run on an instance ended, or that it did not.
type State string

// The states.
const (
	Applied  State = "Applied"
	Failed   State = "Failed"   // an apply ended before all was applied and ready
	Pending  State = "Pending"  // an apply is under way, or its process died
	Deleting State = "Deleting" // a delete began and did not end
	Deleted  State = "Deleted"  // it was there, as a watch has seen
)

func summarize(r *store.Record) Summary {
	i := r.Instance
	s := Summary{
		Key: Key{Namespace: i.Metadata.Namespace, Name: i.Metadata.Name}, Module: i.Module,
		LastTransition: i.LastTransitionTime, State: Applied, Images: i.Images,
		Objects: len(r.Inventory()), Wanted: r.Wanted().Module,
	}
	s.Bundle, _ = r.Labels()[api.LabelBundle].(string)
	switch {
	case r.Deleting:
		s.State = Deleting
	case r.HasFailed():
		s.State = Failed
	case r.IsUnfinished():
		s.State = Pending
	}
	if r.IsComplete() {
		s.Complete = &s.Module
	}
	return s
}

// ListRequest selects instances.
type ListRequest struct {
	Namespace string // empty for all
	Labels    string // a selector on the labels of the record
	Bundle    string // that owns them
	NotReady  bool   // those alone whose objects are not ready or whose last run did not end
}

// Validate returns a usage error for a selector that is none.
func (r ListRequest) Validate() error { return kube.CheckSelector(r.selector()) }

func (r ListRequest) selector() string {
	var terms []string
	if r.Labels != "" {
		terms = append(terms, r.Labels)
	}
	if r.Bundle != "" {
		terms = append(terms, api.LabelBundle+"="+r.Bundle)
	}
	return strings.Join(terms, ",")
}

// List returns the selected instances. A record that cannot be read is
// named in the error, exit code 1, and does not keep the others from being
// returned.
func List(ctx context.Context, client *kube.Client, req ListRequest) ([]Summary, error) {
	records, bad := store.New(client).List(ctx, req.Namespace, req.selector())
	if bad != nil && records == nil {
		return nil, bad
	}
	summaries := []Summary{}
	for _, r := range records {
		s := summarize(r)
		if req.NotReady {
			ready, err := isReady(ctx, client, r)
			if err != nil {
				return nil, err
			}
			if ready && s.State == Applied {
				continue
			}
			s.Ready = &ready
		}
		summaries = append(summaries, s)
	}
	return summaries, fail.With(fail.No, bad)
}

func isReady(ctx context.Context, client *kube.Client, r *store.Record) (bool, error) {
	statuses, err := state.New(client).Status(ctx, r, &store.Ledger{})
	for _, s := range statuses {
		if !s.Ready() && !s.Orphan {
			return false, err
		}
	}
	return true, err
}

// WatchList calls changed with the selected instances and then, after
// each change of their records, with those that are new, that have changed or
// that are gone, which have the state Deleted. It ends with ctx.
func WatchList(ctx context.Context, client *kube.Client, req ListRequest, changed func([]Summary) error) error {
	known := map[Key]Summary{}
	return store.New(client).Watch(ctx, req.Namespace, "", func() error {
		list, err := List(ctx, client, req)
		if list == nil {
			return err
		}
		var news []Summary
		now := map[Key]Summary{}
		for _, s := range list {
			now[s.Key] = s
			if old, there := known[s.Key]; !there || !reflect.DeepEqual(old, s) {
				news = append(news, s)
			}
		}
		for key, old := range known {
			if _, there := now[key]; !there {
				old.State = Deleted
				news = append(news, old)
			}
		}
		known = now
		if len(news) == 0 {
			return nil
		}
		return changed(news)
	})
}
