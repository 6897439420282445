// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// How many events that are no warnings are told: some at once, and then so many
// a second. Warnings are always told.
const (
	eventBurst     = 50
	eventPerSecond = 10
)

// notices says of events which of them are to be told. Its methods are not safe
// for concurrent use.
type notices struct {
	since string // what was last seen before is no news
	told  map[string]bool
	limit limit
}

func newNotices(now func() time.Time) *notices {
	return &notices{told: map[string]bool{}, limit: limit{burst: eventBurst, perSecond: eventPerSecond, now: now}}
}

// take returns what is to be told of an event: nothing of one that is known or
// old, or of one of many that are no warnings.
func (n *notices) take(e ready.Event) []event.Event {
	key := strings.Join([]string{e.Object.String(), e.Type, e.Reason, e.Message}, "\x00")
	if toSecond(e.Time) < toSecond(n.since) || !n.first(key) {
		return nil
	}
	noticed := event.Noticed{Object: e.Object, Warning: e.IsWarning(), Reason: e.Reason, Message: e.Message}
	if noticed.Warning {
		return []event.Event{noticed}
	}
	allowed, left := n.limit.take()
	switch {
	case !allowed:
		return nil
	case left > 0:
		return []event.Event{event.LeftOut{Lines: left}, noticed}
	}
	return []event.Event{noticed}
}

// toSecond returns a time in RFC 3339 without fractions, which not all have.
func toSecond(t string) string {
	const layout = "2006-01-02T15:04:05"
	return t[:min(len(t), len(layout))]
}

// first says whether a text comes for the first time.
func (n *notices) first(text string) bool {
	known := n.told[text]
	n.told[text] = true
	return !known
}

// rest returns how many events were left out and not yet told of.
func (n *notices) rest() event.LeftOut { return event.LeftOut{Lines: n.limit.rest()} }

// limit lets so many things through at once, and then so many a second.
type limit struct {
	burst, perSecond int
	now              func() time.Time

	used    float64
	last    time.Time
	dropped int
}

// take says whether one more thing is let through, and if so, how many were not
// since the last one that was.
func (l *limit) take() (allowed bool, left int) {
	now := l.now()
	l.used = max(0, l.used-now.Sub(l.last).Seconds()*float64(l.perSecond))
	l.last = now
	if l.used+1 > float64(l.burst) {
		l.dropped++
		return false, 0
	}
	l.used++
	return true, l.rest()
}

// rest returns how many things were not let through since it was last asked.
func (l *limit) rest() int {
	left := l.dropped
	l.dropped = 0
	return left
}
