// SPDX-License-Identifier: Apache-2.0

package option

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// limits are the flags that bound what a module may use up. Their names leave
// --timeout to what a command waits for in the cluster.
type limits struct{ render.Limits }

func (l *limits) addTo(fs *pflag.FlagSet) {
	fs.DurationVar(&l.Time, "render-timeout", render.DefaultTime, "how long the module may take to be rendered")
	l.Memory = render.DefaultMemory
	fs.Var((*size)(&l.Memory), "render-memory", "how much memory may be used when the module is rendered, as `SIZE` such as 512Mi or 4Gi")
}

// The variables that bound it where there are no flags: kustomize passes its
// environment to a function, and since 5.7 only also arguments.
const (
	timeVariable   = "TIMONI_RENDER_TIMEOUT"
	memoryVariable = "TIMONI_RENDER_MEMORY"
)

// LimitsOf returns the limits that the environment sets.
func LimitsOf(getenv func(string) string) (render.Limits, error) {
	var l limits
	if text := getenv(timeVariable); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return l.Limits, fail.Usagef("%s: %q is not a time to wait such as 90s", timeVariable, text)
		}
		l.Time = d
	}
	if text := getenv(memoryVariable); text != "" {
		if err := (*size)(&l.Memory).Set(text); err != nil {
			return l.Limits, fmt.Errorf("%s: %w", memoryVariable, err)
		}
	}
	return l.Limits, nil
}

func (l *limits) check() error {
	if l.Time <= 0 {
		return fail.Usagef("--render-timeout: %s is not a time to wait", l.Time)
	}
	return nil
}

// size is a number of bytes with a unit.
type size int64

func (s *size) String() string { return render.FormatBytes(int64(*s)) }
func (s *size) Type() string   { return "size" }

// Set parses a number with the unit Ki, Mi or Gi, or without one.
func (s *size) Set(text string) error {
	number, shift := text, 0
	for i, unit := range []string{"Ki", "Mi", "Gi"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			number, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift {
		return fail.Usagef("%q is not a size such as 512Mi or 4Gi", text)
	}
	*s = size(n << shift)
	return nil
}
