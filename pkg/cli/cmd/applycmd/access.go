// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"slices"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/printer"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
)

// checkAccess prints the rights that an apply would need and that are missing.
// The exit code is 1 when there are such.
func (o *applyOptions) checkAccess(ctx context.Context, req deploy.ApplyRequest) error {
	observer := o.observer()
	client, err := o.connect(&o.policy.Plan, observer)
	if err != nil {
		return err
	}
	access, err := deploy.CheckAccess(ctx, client, req, observer)
	if err != nil {
		return o.validation.Explain(err)
	}
	missing := slices.DeleteFunc(slices.Clone(access), func(a apply.Access) bool { return a.Allowed })
	if err := o.printAccess(missing, len(access)); err != nil {
		return err
	}
	if slices.ContainsFunc(missing, func(a apply.Access) bool { return a.Needed }) {
		return fail.Silent(fail.No)
	}
	return nil
}

func (o *applyOptions) printAccess(missing []apply.Access, asked int) error {
	if _, text := o.out.Format(); !text {
		return o.out.Print(o.env.Stdout, printer.AccessOf(missing))
	}
	if len(missing) == 0 {
		_, err := ui.Printf(o.env.Stdout, "nothing is missing: %d rights are needed and given\n", asked)
		return err
	}
	rows := make([][]string, len(missing))
	for i, a := range missing {
		needed := "needed"
		if !a.Needed {
			needed = "useful"
		}
		rows[i] = []string{a.Verb, a.GroupResource().String(), a.Namespace, a.Name, needed, a.Why}
	}
	return ui.Table(o.env.Stdout, o.out.Header("VERB", "RESOURCE", "NAMESPACE", "NAME", "MISSING", "WHY"), rows)
}
