// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// What is told of the log of a container during a wait: of one that failed the
// last lines, of others some lines at once, and then so many a second.
const (
	failedLines   = 10
	lineBurst     = 100
	linePerSecond = 20

	// maxStreams is the maximum number of logs that are followed at once.
	maxStreams = 100
)

// container names a container of a Pod, and how often it was started again.
type container struct {
	uid, name string
	restarts  int64
}

// State is what a Pod says of one of its containers.
type State struct {
	Name     string
	Restarts int64
	Running  bool
	ended    bool // it is over, or was before it waits to be started again
}

// StatesOf returns the containers of a Pod that have a log: those that run or
// have run.
func StatesOf(pod api.Object) []State {
	var states []State
	for _, field := range []string{"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod, "status", field)
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			st := State{Name: fmt.Sprint(status["name"])}
			st.Restarts, _ = status["restartCount"].(int64)
			_, st.Running, _ = unstructured.NestedMap(status, "state", "running")
			_, over, _ := unstructured.NestedMap(status, "state", "terminated")
			_, before, _ := unstructured.NestedMap(status, "lastState", "terminated")
			st.ended = over || before && !st.Running
			if st.Running || st.ended {
				states = append(states, st)
			}
		}
	}
	return states
}

// seePod opens the logs of a Pod that are to be told.
func (f *Follower) seePod(pod api.Object) {
	var owner *ready.Item
	for _, i := range f.items {
		if i.Live != nil && ready.Selects(i.Live, pod) {
			owner = i
			break
		}
	}
	if owner == nil {
		return
	}
	switch f.options.Logs {
	case LogsNone:
	case LogsAll:
		job := owner.Object.Is("batch", "Job")
		for _, s := range StatesOf(pod) {
			o := kube.LogOptions{Container: s.Name, Follow: s.Running, After: f.notices.since}
			f.open(pod, s, o, job)
		}
	default:
		if _, name := ready.PodReason(pod); name != "" {
			f.open(pod, State{Name: name}, kube.LogOptions{Container: name, Lines: new(failedLines)}, false)
		}
	}
}

// open begins to tell the log of a container, once.
func (f *Follower) open(pod api.Object, s State, o kube.LogOptions, isJob bool) {
	c := container{kube.UID(pod), s.Name, s.Restarts}
	if f.opened[c] || f.streaming.Err() != nil {
		return
	}
	if len(f.opened) == maxStreams {
		f.noteOnce(fmt.Sprintf("the logs of more than %d containers are not shown", maxStreams))
		return
	}
	f.opened[c] = true
	tell := f.tellLines(pod.Ref(), o.Container)
	start := f.streams.Go
	if isJob {
		start = func(run func()) {
			f.jobs.Add(1)
			f.streams.Go(func() { defer f.jobs.Done(); run() })
		}
	}
	start(func() {
		var err error
		if o.Follow {
			err = (&Log{Client: f.client, Pod: pod, Container: s, raw: tell.line, Broke: tell.broke}).Follow(f.streaming, o)
		} else {
			err = readLog(f.streaming, f.client, pod.Ref(), o, tell.line)
		}
		if kube.IsForbidden(err) {
			f.noteUnread("logs", pod.Namespace())
		}
		tell.end()
	})
}

// ReadLog calls line with each line of the log of a container until it ends,
// without what would control a terminal.
func ReadLog(ctx context.Context, client *kube.Client, pod event.Object, o kube.LogOptions, line func(text string)) error {
	plain := func(text string) string { return text }
	return readLog(ctx, client, pod, o, func(text string, cut bool) { line(shown(text, cut, plain, 0)) })
}

// readLog calls line with each line of the log of a container until it ends, and
// whether the end of the line is missing.
func readLog(ctx context.Context, client *kube.Client, pod event.Object, o kube.LogOptions, line func(text string, cut bool)) error {
	stream, err := client.OpenLog(ctx, pod.Namespace, pod.Name, o)
	if err != nil {
		return err
	}
	defer stream.Close()
	return readLines(stream, line)
}

// teller tells the lines of one container, at most so many.
type teller struct {
	*Follower
	pod       event.Object
	container string
	limit     limit
}

func (f *Follower) tellLines(pod event.Object, name string) *teller {
	return &teller{Follower: f, pod: pod, container: name, limit: limit{burst: lineBurst, perSecond: linePerSecond, now: time.Now}}
}

func (t *teller) line(text string, cut bool) {
	allowed, left := t.limit.take()
	if !allowed {
		return
	}
	t.leftOut(left)
	t.observer.Observe(event.Logged{Pod: t.pod, Container: t.container, Text: shown(text, cut, t.options.Hide, maxLine)})
}

func (t *teller) broke(err error) {
	t.noteOnce(fmt.Sprintf("the log of container %q of %s broke off: %v", t.container, t.pod, err))
}

func (t *teller) end() { t.leftOut(t.limit.rest()) }

func (t *teller) leftOut(lines int) {
	if lines > 0 {
		t.observer.Observe(event.LeftOut{Pod: t.pod, Container: t.container, Lines: lines})
	}
}
