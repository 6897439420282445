// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/store"
)

// Status is the readiness of one object of an instance.
type Status struct {
	Object  event.Object
	Exists  bool
	Health  api.Health // empty when the object does not exist
	Message string     // why it is not ready, or what else to know
}

// Ready says whether the object exists and is ready.
func (s Status) Ready() bool { return s.Exists && s.Health == api.HealthCurrent }

// Status returns the readiness of every recorded object, by the rules of
// kstatus: the checks of the module are not at hand without the module.
func (e *Engine) Status(ctx context.Context, record *store.Record) ([]Status, error) {
	steps, err := e.recorded(record)
	if err != nil {
		return nil, err
	}
	live, err := e.listOwned(ctx, record.Instance.Metadata, steps)
	if err != nil {
		return nil, err
	}
	statuses := make([]Status, 0, len(steps))
	for _, s := range steps {
		o := live.get(s)
		if o == nil {
			statuses = append(statuses, Status{Object: s.Ref(), Message: "it does not exist, or belongs to another owner"})
			continue
		}
		now, err := assess(o, nil, time.Now())
		if err != nil {
			return nil, err
		}
		message := now.message
		if now.warning != "" {
			message = now.warning
		}
		statuses = append(statuses, Status{Object: s.Ref(), Exists: true, Health: now.health, Message: message})
	}
	return statuses, nil
}
