// SPDX-License-Identifier: Apache-2.0

package applycmd

import (
	"context"
	"fmt"
	"io"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui/review"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// asks reports whether to ask the user before a change.
func (o *applyOptions) asks(mode deploy.DryRun) bool {
	return o.confirm && !o.yes && mode == deploy.DryRunNone
}

// review returns what shows a plan to the user, and asks whether to have it
// carried out.
func (o *applyOptions) review(mode deploy.DryRun) func(context.Context, []instance.Difference) error {
	return func(ctx context.Context, differences []instance.Difference) error {
		if o.diff {
			if err := o.textDiff(ctx, o.forPeople(), review.Changes(differences), review.Planned); err != nil {
				return err
			}
		}
		var plan []event.Outcome
		for _, d := range review.Changes(differences) {
			plan = append(plan, d.Outcome)
		}
		if !o.asks(mode) || len(plan) == 0 {
			return nil
		}
		if !o.diff {
			if err := (ui.Result{Outcomes: plan, DryRun: "planned"}).Print(o.env.Stderr); err != nil {
				return err
			}
		}
		yes, err := ui.Ask(ctx, o.env.Stdin, o.env.Stderr, fmt.Sprintf("Apply this to the cluster: %s?", ui.Counts(plan)))
		if err == nil && !yes {
			err = fail.With(fail.No, fmt.Errorf("the plan was not confirmed, nothing was changed"))
		}
		return err
	}
}

// forPeople returns where to write what only a person reads.
func (o *applyOptions) forPeople() io.Writer {
	if _, text := o.out.Format(); !text || o.events != nil {
		return o.env.Stderr
	}
	return o.env.Stdout
}
