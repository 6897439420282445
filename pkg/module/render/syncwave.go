// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strconv"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// The annotations by which Argo CD orders what it applies, and knows what it is
// not to delete.
const (
	syncWave    = "argocd.argoproj.io/sync-wave"
	syncOptions = "argocd.argoproj.io/sync-options"
)

// SyncWaves gives the objects of each stage the number of the stage, from 0, as
// their sync wave, and those that are not to be pruned the options that say so.
// Waves and options that the module gives stay.
func (r *Result) SyncWaves() {
	for i, set := range r.Sets {
		for _, o := range set.Objects {
			if o.Annotation(syncWave) == "" {
				o.SetAnnotation(syncWave, strconv.Itoa(i))
			}
			if o.Annotation(api.AnnotationPrune) == api.DisabledValue && o.Annotation(syncOptions) == "" {
				o.SetAnnotation(syncOptions, "Prune=false,Delete=false")
			}
		}
	}
}
