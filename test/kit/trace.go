// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Trace notes the requests that come from now on.
func (p *Proxy) Trace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trace = []*traced{}
}

// note notes a request, if that is asked for, until it is answered.
func (p *Proxy) note(r *http.Request) (answered func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trace == nil {
		return func() {}
	}
	one := &traced{request: describe(r), came: time.Now()}
	p.trace = append(p.trace, one)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		one.left = time.Now()
	}
}

// Timeline returns when the requests since Trace came and were answered, in
// milliseconds since a moment. Those of one kind that were under way together
// are one line.
func (p *Proxy) Timeline(start time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for i := 0; i < len(p.trace); {
		one, n := *p.trace[i], 1
		for ; i+n < len(p.trace) && p.trace[i+n].isBeside(one); n++ {
			if left := p.trace[i+n].left; left.IsZero() || left.After(one.left) {
				one.left = left
			}
		}
		fmt.Fprintf(&text, "%5s to %5s ms %4d × %s\n", since(start, one.came), since(start, one.left), n, one.request)
		i += n
	}
	return text.String()
}

// traced is a request, and when it came and was answered.
type traced struct {
	request    string
	came, left time.Time // the latter is zero until it is answered
}

// isBeside says whether a request is of the kind of an earlier one and came
// before that was answered.
func (t *traced) isBeside(earlier traced) bool {
	return (earlier.left.IsZero() || t.came.Before(earlier.left)) && kindOf(t.request) == kindOf(earlier.request)
}

// since returns the milliseconds between two moments, the second of which may
// not have come.
func since(start, end time.Time) string {
	if end.IsZero() {
		return "?"
	}
	return strconv.FormatInt(end.Sub(start).Milliseconds(), 10)
}

// kindOf returns a description without the name of the object.
func kindOf(request string) string {
	line, dry, _ := strings.Cut(request, " dry run")
	return line[:strings.LastIndex(line, "/")] + dry
}
