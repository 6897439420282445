// SPDX-License-Identifier: Apache-2.0

// Package policyflag holds the flags that say how instances are applied. It is
// apart from package option because it links what talks to a cluster.
package policyflag

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
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
	fs.StringVar((*string)(&o.Adopt), "adopt", string(apply.AdoptNever), "take over existing objects `WHOSE` owner is: never, unmanaged (has no owner), all")
	fs.BoolVar(&o.AllowEmpty, "allow-empty", false, "apply a module that renders no object, and prune all that it rendered before")
	fs.BoolVar(&o.Force, "force", false, "recreate objects whose immutable fields changed (never PVCs, PVs, Namespaces, CRDs)")
	fs.BoolVar(&o.ForceConflicts, "force-conflicts", false, "take over fields that another server-side applier owns")
	fs.StringArrayVar(&p.replace, "replace", nil,
		"delete the object `KIND/NAME` before its stage is applied; may be repeated")
	fs.StringVar((*string)(&o.Prune), "prune", string(apply.PruneAfterReady),
		"prune objects that are no longer rendered `WHEN`: after-ready, always or never")
	fs.StringSliceVar(&p.pruneKinds, "prune-kinds", nil,
		"prune these protected `KINDS` too: "+strings.Join(kinds.ProtectedKinds(), ", "))
	fs.IntVar(&o.Concurrency, "concurrency", kube.DefaultConcurrency, "maximum concurrent requests to the cluster")
	fs.StringVar(&p.FieldManager, "field-manager", api.FieldManager, "`NAME` of the field manager; fields of the former one are moved to it")
	fs.DurationVar(&o.ApplyTimeout, "apply-timeout", kube.DefaultTimeout, "timeout of the plan, and of the writes of one stage; 0 for none")
}

// Options returns what the flags say. The error is a usage error.
func (p *Plan) Options() (apply.Options, error) {
	o := p.options
	err := fail.OneOf("--adopt", o.Adopt, apply.AdoptNever, apply.AdoptUnmanaged, apply.AdoptAll)
	if err != nil {
		return o, err
	}
	if err = fail.OneOf("--prune", o.Prune, apply.PruneAfterReady, apply.PruneAlways, apply.PruneNever); err != nil {
		return o, err
	}
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
	fs.StringVar((*string)(&r.dryRun), "dry-run", string(deploy.DryRunNone), "`MODE`: none, client (read the cluster, check nothing) or server (check everything, store nothing)")
	fs.BoolVar(&r.wait, "wait", true, "wait for each stage to become ready, and prune")
	fs.StringArrayVar(&r.waitFor, "wait-for", nil,
		"wait until this `RULE` holds too: KIND=CONDITION, KIND/NAME=condition=TYPE=STATUS or KIND=jsonpath=EXPRESSION=VALUE, as kubectl wait has them, or KIND=cel=EXPRESSION about self; may be repeated")
	fs.DurationVar(&o.Timeout, "timeout", kube.DefaultTimeout, "how long to wait for one stage, 0 for ever")
	fs.StringVar((*string)(&r.logs), "logs", string(follow.LogsFailed), "while it waits, show the logs of these `CONTAINERS`: failed (their last lines), all or none")
	fs.IntVar(&o.HistoryLimit, "history-limit", apply.DefaultHistoryLimit, "how many revisions to remember, with their values, in a Secret; 0 for none")
	fs.StringVar((*string)(&o.History), "history", string(store.KeptFull), "what to remember of revisions: `WHAT` is full (also the rendered objects) or values")
}

// Options returns what the flags say. The error is a usage error.
func (r *Run) Options() (apply.Options, error) {
	o, err := r.Plan.Options()
	if err != nil {
		return o, err
	}
	o.ExistingNamespace, o.NoWait = !r.createNamespace, !r.wait
	o.Timeout = kube.AtMost(o.Timeout)
	if o.HistoryLimit == 0 {
		o.HistoryLimit = apply.NoHistory
	}
	if err := fail.OneOf("--history", o.History, store.KeptFull, store.KeptValues); err != nil {
		return o, err
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

// DryRun returns how far to go. The error is a usage error.
func (r *Run) DryRun() (deploy.DryRun, error) {
	return r.dryRun, fail.OneOf("--dry-run", r.dryRun, deploy.DryRunNone, deploy.DryRunClient, deploy.DryRunServer)
}

// Logs returns of which containers to show the logs. The error is a usage error.
func (r *Run) Logs() (follow.Logs, error) {
	return r.logs, fail.OneOf("--logs", r.logs, follow.LogsFailed, follow.LogsAll, follow.LogsNone)
}
