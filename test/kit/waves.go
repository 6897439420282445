// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Wave is a number of requests for each pattern of path.Match, for example
// "PATCH /api/v1/namespaces/*/configmaps/* dry run".
type Wave map[string]int

// Waves holds every request back until all of its wave have come, and then lets
// them through together: a client that waits for the answer to one of them
// before it sends the next does not get there. So the number of waves is the
// number of round trips in a row that a client takes, whatever the speed of
// anything. verify, which is called when the client is done, returns what did not
// come, and what came and is in no wave.
func (p *Proxy) Waves(waves ...Wave) (verify func() error) {
	w := &waiting{waves: waves}
	w.next()
	p.Intercept(func(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
		if request := describe(r); !isRenewal(request) {
			w.wait(request)
		}
		forward.ServeHTTP(rw, r)
	})
	return func() error {
		p.Intercept(nil)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.isOpen() {
			w.fail("wave %d did not come: %v", w.reached, w.missing)
		}
		return errors.Join(w.faults...)
	}
}

// patience is how long a wave may take to come. It decides about nothing but how
// soon a test that fails ends.
const patience = 20 * time.Second

// waiting is a sequence of waves that come.
type waiting struct {
	mu      sync.Mutex
	waves   []Wave
	reached int           // the wave that is to come, counted from 1
	missing Wave          // what of it has not come
	whole   chan struct{} // is closed when it has come
	faults  []error
}

// next goes on to the next wave. After the last one nothing is missing.
func (w *waiting) next() {
	w.whole, w.missing = make(chan struct{}), nil
	if w.reached < len(w.waves) {
		w.missing = maps.Clone(w.waves[w.reached])
	}
	w.reached++
}

func (w *waiting) isOpen() bool { return w.missing != nil && w.faults == nil }

func (w *waiting) fail(format string, args ...any) {
	w.faults = append(w.faults, fmt.Errorf(format, args...))
}

// wait returns when the wave of a request has come, or something has gone wrong.
func (w *waiting) wait(request string) {
	whole := w.count(request)
	select {
	case <-whole:
	case <-time.After(patience):
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.whole == whole && w.isOpen() {
			w.fail("wave %d is not whole while %q waits for its answer: %v is missing", w.reached, request, w.missing)
			close(whole)
		}
	}
}

// count counts a request and returns what is closed when its wave has come.
func (w *waiting) count(request string) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole := w.whole
	if w.faults != nil {
		return whole
	}
	for _, pattern := range slices.Sorted(maps.Keys(w.missing)) {
		if isMatch, _ := path.Match(pattern, request); !isMatch {
			continue
		}
		if w.missing[pattern]--; w.missing[pattern] == 0 {
			delete(w.missing, pattern)
		}
		if len(w.missing) == 0 {
			close(whole)
			w.next()
		}
		return whole
	}
	close(whole)
	w.fail("%q is not in wave %d, of which %v is missing", request, w.reached, w.missing)
	return whole
}

// isRenewal says whether a request renews a lease: those come as time passes,
// and nothing waits for them.
func isRenewal(request string) bool {
	isMatch, _ := path.Match("PUT /apis/coordination.k8s.io/v1/namespaces/*/leases/*", request)
	return isMatch
}

// describe returns a request on one line.
func describe(r *http.Request) string {
	text := r.Method + " " + r.URL.Path
	if r.URL.Query().Has("watch") {
		text = strings.Replace(text, http.MethodGet, "WATCH", 1)
	}
	if r.URL.Query().Has("dryRun") {
		text += " dry run"
	}
	return text
}
