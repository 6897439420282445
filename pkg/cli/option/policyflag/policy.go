// SPDX-License-Identifier: Apache-2.0

// Package policyflag holds the flags that say how instances are applied. It is
// apart from package option because it links what talks to a cluster.
package policyflag

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/follow"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kinds"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
)

// Plan are the flags that decide what an apply would do.
type Plan struct {
	FieldManager string

	options    apply.Options
	replace    []string
	pruneKinds []string
}

// AddTo registers the flags.
func (p *Plan) AddTo(fs *pflag.FlagSet) {
	o := &p.options
	choice.Flag[apply.Adopt]{
		Name: "adopt", Usage: "take over existing objects `WHOSE` owner is", Default: apply.AdoptNever,
		Choices: []choice.Choice[apply.Adopt]{{Word: apply.AdoptNever}, {Word: apply.AdoptUnmanaged, Note: "has no owner"}, {Word: apply.AdoptAll}},
	}.AddTo(fs, &o.Adopt)
	fs.BoolVar(&o.AllowEmpty, "allow-empty", false, "apply a module that renders no object, and prune all that it rendered before")
	fs.BoolVar(&o.Force, "force", false, "recreate objects whose immutable fields changed (never PVCs, PVs, Namespaces, CRDs)")
	fs.BoolVar(&o.ForceConflicts, "force-conflicts", false, "take over fields that another server-side applier owns")
	fs.StringArrayVar(&p.replace, "replace", nil,
		"delete the object `KIND/NAME` before its stage is applied; may be repeated")
	choice.Flag[apply.Prune]{
		Name: "prune", Usage: "prune objects that are no longer rendered `WHEN`", Default: apply.PruneAfterReady,
		Choices: choice.Of(apply.PruneAfterReady, apply.PruneAlways, apply.PruneNever),
	}.AddTo(fs, &o.Prune)
	fs.StringSliceVar(&p.pruneKinds, "prune-kinds", nil,
		"prune these protected `KINDS` too: "+strings.Join(kinds.ProtectedKinds(), ", "))
	complete.Flag(fs, "prune-kinds", complete.Words(kinds.ProtectedKinds()...))
	fs.IntVar(&o.Concurrency, "concurrency", kube.DefaultConcurrency, "maximum concurrent requests to the cluster")
	fs.StringVar(&p.FieldManager, "field-manager", api.FieldManager, "`NAME` of the field manager; fields of the former one are moved to it")
	fs.DurationVar(&o.ApplyTimeout, "apply-timeout", kube.DefaultTimeout, "timeout of the plan, and of the writes of one stage; 0 for none")
}

// Options returns what the flags say. The error is a usage error.
func (p *Plan) Options() (apply.Options, error) {
	o := p.options
	var err error
	for _, text := range p.replace {
		var target api.Target
		if target, err = api.ParseTarget(text); err == nil && target.Name == "" {
			err = fail.Usagef("it has to name one object, as KIND/NAME")
		}
		if err != nil {
			return o, fail.Usagef("--replace=%s: %w", text, err)
		}
		o.Replace = append(o.Replace, target)
	}
	if o.PruneAlso.Kinds, err = protectedKinds(p.pruneKinds); err != nil {
		return o, err
	}
	if o.Concurrency < 1 {
		return o, fail.Usagef("--concurrency=%d: must be at least 1", o.Concurrency)
	}
	if p.FieldManager == "" || len(p.FieldManager) > 128 { // what the server takes
		return o, fail.Usagef("--field-manager=%q: must have 1 to 128 characters", p.FieldManager)
	}
	o.ApplyTimeout = kube.AtMost(o.ApplyTimeout)
	return o, nil
}

// Decided returns the names of the flags, of those of a Run too, about which a plan
// that is kept has decided.
func Decided() []string {
	return []string{"adopt", "allow-empty", "force", "force-conflicts", "replace", "prune", "prune-kinds", "field-manager", "create-namespace", "wait"}
}

// Client returns a client that writes as the flags say.
func (p *Plan) Client(client *kube.Client) *kube.Client {
	return client.WithFieldManager(p.FieldManager)
}

// protectedKinds returns the names of protected kinds in their own writing.
func protectedKinds(names []string) ([]string, error) {
	var found []string
	for _, name := range names {
		i := slices.IndexFunc(kinds.ProtectedKinds(), func(k string) bool { return strings.EqualFold(k, name) })
		if i < 0 {
			return nil, fail.Usagef("--prune-kinds=%s: what is not pruned by itself is one of %s", name, strings.Join(kinds.ProtectedKinds(), ", "))
		}
		found = append(found, kinds.ProtectedKinds()[i])
	}
	return found, nil
}

// Run are the flags of the verbs that carry the plan out.
type Run struct {
	Plan
	dryRun  deploy.DryRun
	waitFor []string
	logs    follow.Logs

	createNamespace, wait bool
}

// AddTo registers the flags.
func (r *Run) AddTo(fs *pflag.FlagSet) {
	r.Plan.AddTo(fs)
	o := &r.options
	fs.BoolVar(&r.createNamespace, "create-namespace", true, "create the namespace of the instance if it does not exist; false refuses, exit code 5")
	choice.Flag[deploy.DryRun]{
		Name: "dry-run", Usage: "`MODE`", Default: deploy.DryRunNone,
		Choices: []choice.Choice[deploy.DryRun]{
			{Word: deploy.DryRunNone}, {Word: deploy.DryRunClient, Note: "read the cluster, check nothing"},
			{Word: deploy.DryRunServer, Note: "check everything, store nothing"},
		},
	}.AddTo(fs, &r.dryRun)
	fs.BoolVar(&r.wait, "wait", true, "wait for each stage to become ready, and prune")
	fs.StringArrayVar(&r.waitFor, "wait-for", nil,
		"wait until this `RULE` holds too: KIND=CONDITION, KIND/NAME=condition=TYPE=STATUS or KIND=jsonpath=EXPRESSION=VALUE, as kubectl wait has them, or KIND=cel=EXPRESSION about self; may be repeated")
	fs.DurationVar(&o.Timeout, "timeout", kube.DefaultTimeout, "how long to wait for one stage, 0 for ever")
	choice.Flag[follow.Logs]{
		Name: "logs", Usage: "while it waits, show the logs of these `CONTAINERS`", Default: follow.LogsFailed,
		Choices: []choice.Choice[follow.Logs]{{Word: follow.LogsFailed, Note: "their last lines"}, {Word: follow.LogsAll}, {Word: follow.LogsNone}},
	}.AddTo(fs, &r.logs)
	fs.IntVar(&o.HistoryLimit, "history-limit", apply.DefaultHistoryLimit, "how many revisions to remember, with their values, in a Secret; 0 for none")
	choice.Flag[store.Kept]{
		Name: "history", Usage: "remember `WHAT` of revisions", Default: store.KeptFull,
		Choices: []choice.Choice[store.Kept]{{Word: store.KeptFull, Note: "also the rendered objects"}, {Word: store.KeptValues}},
	}.AddTo(fs, &o.History)
}

// Options returns what the flags say. The error is a usage error.
func (r *Run) Options() (apply.Options, error) {
	o, err := r.Plan.Options()
	if err != nil {
		return o, err
	}
	o.ExistingNamespace, o.NoWait = !r.createNamespace, !r.wait
	o.Timeout = kube.AtMost(o.Timeout)
	switch {
	case o.HistoryLimit < 0:
		return o, fail.Usagef("--history-limit=%d: give a number of revisions, or 0 for no history", o.HistoryLimit)
	case o.HistoryLimit == 0:
		o.HistoryLimit = apply.NoHistory
	}
	for _, text := range r.waitFor {
		rule, err := ready.ParseWaitRule(text)
		if err != nil {
			return o, fail.Usagef("--wait-for=%s: %w", text, err)
		}
		o.WaitFor = append(o.WaitFor, rule.Named("--wait-for="+text))
	}
	if len(o.WaitFor) > 0 && o.NoWait {
		return o, fail.Usagef("--wait-for needs --wait")
	}
	return o, nil
}

// DryRun returns how far to go.
func (r *Run) DryRun() deploy.DryRun { return r.dryRun }

// Logs returns of which containers to show the logs.
func (r *Run) Logs() follow.Logs { return r.logs }

// WaitsFor says whether there is a rule to wait for.
func (r *Run) WaitsFor() bool { return len(r.waitFor) > 0 }
