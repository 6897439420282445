// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// Hiding returns an observer that tells the next one everything, with every text
// as hide makes it.
func Hiding(next Observer, hide func(string) string) Observer {
	return Func(func(e Event) {
		switch t := e.(type) {
		case Applied:
			t.Reason = hide(t.Reason)
			e = t
		case WaitStarted:
			t.Waiting = slices.Clone(t.Waiting)
			for i := range t.Waiting {
				t.Waiting[i].Message = hide(t.Waiting[i].Message)
			}
			e = t
		case Progress:
			t.Message = hide(t.Message)
			e = t
		case Note:
			t.Text = hide(t.Text)
			e = t
		case Warning:
			t.Text = hide(t.Text)
			e = t
		}
		next.Observe(e)
	})
}
