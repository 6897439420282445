// SPDX-License-Identifier: Apache-2.0

// Package follow tells what goes on around the objects of an instance: the
// events about them and their Pods, and the lines of the logs of their
// containers. What it tells of its own accord is bounded, each event is told
// once, and a line has neither what it is told to hide nor what would control a
// terminal.
package follow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Logs says of which containers the logs are shown during a wait.
type Logs string

// The values of Logs.
const (
	LogsFailed Logs = "failed" // the end of the log of a container that failed
	LogsAll    Logs = "all"    // all, as they come
	LogsNone   Logs = "none"
)

// Options say what is told.
type Options struct {
	Logs Logs                // empty for LogsFailed
	Hide func(string) string // hides in a text what must not be shown; nil for nothing
}

// Follower accompanies the waits of a run on an instance.
type Follower struct {
	client   *kube.Client
	observer event.Observer
	options  Options

	mu      sync.Mutex
	notices *notices
	opened  map[container]bool // whose log was asked for
	items   []*ready.Item      // of the present wait

	streaming context.Context // of the present wait
	stop      context.CancelFunc
	streams   sync.WaitGroup // those that are under way
	jobs      sync.WaitGroup // those of them whose containers end
}

var _ ready.Companion = (*Follower)(nil)

// New returns a Follower for one run. Its observer may be called from several
// goroutines at once.
func New(client *kube.Client, observer event.Observer, o Options) *Follower {
	if o.Hide == nil {
		o.Hide = func(text string) string { return text }
	}
	return &Follower{client: client, observer: observer, options: o, notices: newNotices(time.Now), opened: map[container]bool{}}
}

// Begin implements ready.Companion.
func (f *Follower) Begin(ctx context.Context, items []*ready.Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items, f.notices.since = items, newest(items)
	f.streaming, f.stop = context.WithCancel(ctx)
}

// newest returns when, by the clock of the server, the last of the items was
// applied: what was reported before is no news.
func newest(items []*ready.Item) string {
	var last string
	for _, i := range items {
		metadata, _ := i.Live["metadata"].(map[string]any)
		created, _ := metadata["creationTimestamp"].(string)
		last = max(last, created) // both without fractions of a second
		entries, _ := metadata["managedFields"].([]any)
		for _, e := range entries {
			entry, _ := e.(map[string]any)
			if applied, _ := entry["time"].(string); entry["operation"] == "Apply" {
				last = max(last, applied)
			}
		}
	}
	return last
}

// Seen implements ready.Companion.
func (f *Follower) Seen(o api.Object, gone bool) {
	if gone {
		return
	}
	if o.Kind() == "Pod" {
		f.seePod(o)
		return
	}
	e := ready.EventOf(o)
	if !slices.ContainsFunc(f.items, func(i *ready.Item) bool { return ready.IsAbout(e.Object, i.Ref()) }) {
		return
	}
	f.tellEvent(e)
}

func (f *Follower) tellEvent(e ready.Event) {
	e.Message = shown(e.Message, false, f.options.Hide, maxLine)
	f.mu.Lock()
	news := f.notices.take(e)
	f.mu.Unlock()
	for _, n := range news {
		f.observer.Observe(n)
	}
}

// Unread implements ready.Companion: it is said once for each kind and namespace.
func (f *Follower) Unread(kind, namespace string) {
	f.noteUnread(strings.ToLower(kind)+"s", namespace)
}

func (f *Follower) noteUnread(what, namespace string) {
	f.noteOnce(fmt.Sprintf("the %s of namespace %q are not shown: the right to read them is missing", what, namespace))
}

func (f *Follower) noteOnce(text string) {
	f.mu.Lock()
	first := f.notices.first(text)
	f.mu.Unlock()
	if first {
		f.observer.Observe(event.Note{Text: text})
	}
}

// jobGrace is how long the end of the log of a Job that is over may take.
const jobGrace = 5 * time.Second

// End implements ready.Companion. What is left of the logs of Jobs that are over
// is told before it returns.
func (f *Follower) End() {
	f.seeJobs()
	done := make(chan struct{})
	go func() { f.jobs.Wait(); close(done) }()
	select {
	case <-done:
	case <-f.streaming.Done():
	case <-time.After(jobGrace):
	}
	f.stop()
	f.streams.Wait()
	<-done // before the next wait may add to the group
	f.mu.Lock()
	left := f.notices.rest()
	f.mu.Unlock()
	if left.Lines > 0 {
		f.observer.Observe(left)
	}
}

// seeJobs looks at the Pods of the Jobs once more: one that was over in a moment
// may have been ready before its Pod was seen.
func (f *Follower) seeJobs() {
	if f.options.Logs != LogsAll {
		return
	}
	for _, i := range f.items {
		if !i.Object.Is("batch", "Job") || i.Live == nil {
			continue
		}
		pods, _, err := f.client.List(f.streaming, kube.Core("Pod", "pods"), i.Object.Namespace(),
			kube.Selector{Labels: jobLabel + "=" + i.Object.Name()})
		if err != nil {
			continue // of which the wait has told
		}
		for _, pod := range pods {
			f.seePod(pod)
		}
	}
}

// jobLabel is the label with the name of their Job that Kubernetes gives to Pods.
const jobLabel = "batch.kubernetes.io/job-name"
