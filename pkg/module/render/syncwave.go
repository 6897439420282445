// SPDX-License-Identifier: Apache-2.0

package render

import "strconv"

// The annotations by which Argo CD orders what it applies, and knows what it is
// not to delete.
const (
	syncWave    = "argocd.argoproj.io/sync-wave"
	syncOptions = "argocd.argoproj.io/sync-options"
)

// SyncWaves gives the objects of each stage the number of the stage, from 0 and
// without those that are empty, as their sync wave, and those that an apply
// would not prune the options that say so. Waves and options that the module
// gives stay.
func (r *Result) SyncWaves() {
	wave := 0
	for _, set := range r.Sets {
		if len(set.Objects) == 0 {
			continue
		}
		for _, o := range set.Objects {
			if o.Annotation(syncWave) == "" {
				o.SetAnnotation(syncWave, strconv.Itoa(wave))
			}
			if o.IsKept() && o.Annotation(syncOptions) == "" {
				o.SetAnnotation(syncOptions, "Prune=false,Delete=false")
			}
		}
		wave++
	}
}
