// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// The pause before a log that broke off is taken up again grows from the first to
// the last of these.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// told says up to which time lines were told, and how many of that time: several
// may have the same.
type told struct {
	until time.Time
	lines int
}

// Log follows the log of a container that runs until that ends. The connection
// may end sooner: the log is taken up again then, where it was.
type Log struct {
	Client    *kube.Client
	Pod       api.Object
	Container State
	Line      func(text string) // is called with each line, without what would control a terminal
	Broke     func(error)       // is called with why the log cannot be read at present

	raw  func(text string, cut bool) // in place of Line: with each line as it is, and whether its end is missing
	last told                        // what was told last
	skip told                        // what is not to be told again
}

// Follow tells the lines that o says, and those that come. Its error says that
// the log may not be read, that there is none, or that ctx has ended.
func (l *Log) Follow(ctx context.Context, o kube.LogOptions) error {
	o.Follow, o.Stamped = true, true
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := readLog(ctx, l.Client, l.Pod.Ref(), o, l.tell)
		switch {
		case kube.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsBadRequest(err):
			return err
		case ctx.Err() != nil || !l.runs(ctx):
			return ctx.Err()
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		if err != nil && pause == firstPause {
			l.Broke(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		if l.skip = l.last; !l.skip.until.IsZero() {
			o.Lines, o.Since, o.After = nil, 0, l.skip.until.Format(time.RFC3339Nano)
		}
	}
}

// tell tells a line unless it was told before the log broke off.
func (l *Log) tell(text string, cut bool) {
	if stamp, rest, found := strings.Cut(text, " "); found {
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			if l.wasTold(at) {
				return
			}
			text = rest
		}
	}
	if l.raw != nil {
		l.raw(text, cut)
		return
	}
	l.Line(shown(text, cut, func(text string) string { return text }, 0))
}

// wasTold says whether a line of a time was told before the log broke off, and
// notes it.
func (l *Log) wasTold(at time.Time) bool {
	switch {
	case at.Before(l.skip.until):
		return true
	case at.Equal(l.skip.until) && l.skip.lines > 0:
		l.skip.lines--
		return true
	}
	l.skip = told{} // the clock of the node may go back
	if !at.Equal(l.last.until) {
		l.last = told{until: at}
	}
	l.last.lines++
	return false
}

// runs says whether the container runs on. A server that does not say so is asked
// again later.
func (l *Log) runs(ctx context.Context) bool {
	pod, err := l.Client.Get(ctx, kube.Core("Pod", "pods"), l.Pod.Namespace(), l.Pod.Name())
	if err != nil {
		return !apierrors.IsNotFound(err) && !kube.IsForbidden(err)
	}
	return kube.UID(pod) == kube.UID(l.Pod) && slices.ContainsFunc(StatesOf(pod), func(s State) bool {
		return s.Name == l.Container.Name && s.Restarts == l.Container.Restarts && s.Running
	})
}
