// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// Hiding returns an observer that tells the next one everything, with every text
// as hide makes it.
func Hiding(next Observer, hide func(string) string) Observer {
	return Func(func(e Event) { next.Observe(hidden(e, hide)) })
}

func hidden(e Event, hide func(string) string) Event {
	switch t := e.(type) {
	case Within:
		t.Event = hidden(t.Event, hide)
		return t
	case Applied:
		t.Reason = hide(t.Reason)
		return t
	case WaitStarted:
		t.Waiting = slices.Clone(t.Waiting)
		for i := range t.Waiting {
			t.Waiting[i].Message = hide(t.Waiting[i].Message)
		}
		return t
	case Progress:
		t.Message = hide(t.Message)
		return t
	case Noticed:
		t.Message = hide(t.Message)
		return t
	case Logged:
		t.Text = hide(t.Text)
		return t
	case Note:
		t.Text = hide(t.Text)
		return t
	case Warning:
		t.Text = hide(t.Text)
		return t
	}
	return e
}
