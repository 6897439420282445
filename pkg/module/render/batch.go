// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/budget"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Outcome is what became of one of several requests.
type Outcome struct {
	Result *Result
	Err    error
}

const (
	// leastLine is how many instances are worth reading their module for.
	leastLine = 4
	// maxBatch bounds what is in memory at once.
	maxBatch = 16
	// small is how many bytes may be allocated while the first instance of a module
	// is rendered for others to be evaluated together: of what needs more, little is
	// saved, and much is in memory and lost with an error.
	small = 64 << 20
)

// BuildAll renders the instances of a bundle, on all processors. The outcomes
// are those of Build, in the order of the requests; only that the paths in
// errors of a result's Health may begin with the instance. Requests that differ
// in Name, Namespace, KubeVersion and Values alone share what is read of their
// module. The limits are for as much as is evaluated at once; when one is
// passed, the other outcomes may be ErrStopped.
func BuildAll(ctx context.Context, reqs []Request) []Outcome {
	outcomes := make([]Outcome, len(reqs))
	places := make([]place, len(reqs))
	before, after := trees{}, trees{}
	var missing []int
	var rest []Request
	for i, req := range reqs {
		places[i] = before.placeOf(req)
		if outcomes[i].Result = places[i].load(ctx, req); outcomes[i].Result == nil {
			missing, rest = append(missing, i), append(rest, req)
		}
	}
	for k, outcome := range evaluateAll(ctx, rest) {
		i := missing[k]
		if outcomes[i] = outcome; outcome.Err == nil {
			places[i].keep(after, reqs[i], outcome.Result)
		}
	}
	return outcomes
}

// evaluateAll is BuildAll without a cache.
func evaluateAll(ctx context.Context, reqs []Request) []Outcome {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	outcomes := make([]Outcome, len(reqs))
	if len(reqs) > 0 { // what the first results hold counts for the others too
		budget.Begin(reqs[0].Limits.orDefault().Memory)
		defer budget.End()
	}
	processors := runtime.GOMAXPROCS(0)
	lines := make(chan line)
	var workers sync.WaitGroup
	for range min(len(reqs), processors) {
		workers.Go(func() {
			for l := range lines {
				l.build(ctx)
			}
		})
	}
	for _, indices := range distribute(reqs, processors) {
		lines <- line{reqs, indices, outcomes, &shared{}, stop}
	}
	close(lines)
	workers.Wait()
	return outcomes
}

// distribute returns indices of requests that are of one module, in as many
// parts as pay.
func distribute(reqs []Request, processors int) [][]int {
	type module struct {
		dir, origin, pkg, version, within string
		debug, whole                      bool
		registry                          *CUERegistry
	}
	var modules []module
	members := map[module][]int{}
	for i, req := range reqs {
		m := module{req.Dir, req.Origin, req.Package, req.ModuleVersion, req.Within, req.Debug, req.Whole, req.CUERegistry}
		if members[m] == nil {
			modules = append(modules, m)
		}
		members[m] = append(members[m], i)
	}
	var parts [][]int
	for _, m := range modules {
		n := len(members[m])
		count := max(1, min(processors, n/leastLine))
		parts = slices.AppendSeq(parts, slices.Chunk(members[m], (n+count-1)/count))
	}
	return parts
}

// line is requests of one module that are carried out one after the other.
type line struct {
	reqs     []Request
	indices  []int // into reqs and outcomes
	outcomes []Outcome
	shared   *shared
	stop     context.CancelCauseFunc // of all lines
}

// ErrStopped is the error of what was not rendered because something else had
// passed a limit.
var ErrStopped = errors.New("another instance passed a limit")

// build renders the first instance alone, and the others together if that was
// small.
func (l *line) build(ctx context.Context) {
	before := allocated()
	l.buildOne(ctx, l.indices[0])
	isSmall := allocated()-before < small
	for batch := range slices.Chunk(l.indices[1:], maxBatch) {
		if isSmall && l.buildBatch(ctx, batch) {
			continue
		}
		for _, i := range batch {
			l.buildOne(ctx, i)
		}
	}
}

// allocated returns how much this process has allocated until now. Unlike the
// time it does not depend on what else the machine does.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// buildOne renders one instance.
func (l *line) buildOne(ctx context.Context, i int) {
	if ctx.Err() != nil {
		l.outcomes[i].Err = context.Cause(ctx)
		return
	}
	req := l.reqs[i]
	if len(l.indices) > 1 {
		req.shared = l.shared
	}
	result, err := evaluate(ctx, req)
	if err != nil {
		l.failed(err)
	}
	l.outcomes[i] = Outcome{result, err}
}

// failed looks after what an error leaves behind: what is given up may go on
// with what the line shares, and what has passed a limit goes on for sure.
func (l *line) failed(err error) {
	l.shared = &shared{}
	if errors.Is(err, ErrLimit) {
		l.stop(ErrStopped)
	}
}

// buildBatch renders several instances in one evaluation. It is false after an
// error of which it is not known which of them it is about, and which each has
// when it is rendered alone.
func (l *line) buildBatch(ctx context.Context, batch []int) bool {
	reqs := make([]Request, len(batch))
	names := make([]string, len(batch))
	for k, i := range batch {
		reqs[k], names[k] = l.reqs[i], l.reqs[i].Name
		reqs[k].shared = l.shared
	}
	results, err := buildMany(ctx, reqs)
	if err != nil {
		l.failed(err)
	}
	if err != nil && !errors.Is(err, ErrLimit) {
		return false
	}
	for k, i := range batch {
		if err != nil {
			l.outcomes[i].Err = fmt.Errorf("one of the instances %s: %w", strings.Join(names, ", "), err)
		} else {
			l.outcomes[i].Result = results[k]
		}
	}
	return true
}

// buildMany renders instances of one module, whose requests share what was
// read of it, in one evaluation. The error is not shown.
func buildMany(ctx context.Context, reqs []Request) ([]*Result, error) {
	return bounded(ctx, reqs[0].Limits, "load", func(s *stage) (results []*Result, err error) {
		defer values.Recover("module", &err)
		var evaluations []*evaluation
		defer func() {
			for _, e := range evaluations {
				_ = e.confined.Close()
			}
		}()
		for _, req := range reqs {
			e, failed := newEvaluation(req)
			if failed != nil {
				return nil, failed
			}
			evaluations = append(evaluations, e)
		}
		s.enter("evaluate")
		roots, err := evaluateMany(evaluations)
		if err != nil {
			return nil, err
		}
		s.enter("decode")
		for i, e := range evaluations {
			result, err := e.result(roots[i])
			if err != nil {
				return nil, err
			}
			result.nested = 1
			results = append(results, result)
		}
		return results, nil
	})
}

// evaluateMany evaluates packages as imports of one: CUE sets up what they
// import themselves for each evaluation anew.
func evaluateMany(evaluations []*evaluation) ([]cue.Value, error) {
	const prefix = "instances.invalid/"
	packages := map[string]*build.Instance{}
	keys := make([]string, len(evaluations)) // of which no two are one, whatever the names
	var imports, fields strings.Builder
	for i, e := range evaluations {
		path := fmt.Sprintf("%s%d:%s", prefix, i, e.instance.PkgName)
		e.instance.ImportPath, packages[path] = path, e.instance
		fmt.Fprintf(&imports, "import _%d %q\n", i, path)
		keys[i] = fmt.Sprintf("%s#%d", e.req.Name, i)
		fmt.Fprintf(&fields, "%q: _%d\n", keys[i], i)
	}
	file, err := parser.ParseFile("instances.cue", "package instances\n"+imports.String()+fields.String())
	if err != nil {
		return nil, err
	}
	all := build.NewContext().NewInstance("", func(_ token.Pos, path string) *build.Instance { return packages[path] })
	if err := all.AddSyntax(file); err != nil {
		return nil, err
	}
	if err := all.Complete(); err != nil {
		return nil, err
	}
	root := evaluations[0].ctx.BuildInstance(all)
	if err := root.Err(); err != nil {
		return nil, err
	}
	roots := make([]cue.Value, len(evaluations))
	for i, key := range keys {
		roots[i] = root.LookupPath(cue.MakePath(cue.Str(key)))
	}
	return roots, nil
}
