// SPDX-License-Identifier: Apache-2.0

package render

import "strconv"

// syncWave is the annotation by which Argo CD orders what it applies.
const syncWave = "argocd.argoproj.io/sync-wave"

// SyncWaves gives the objects of each stage the number of the stage, from 0, as
// their sync wave. A wave that the module gives stays.
func (r *Result) SyncWaves() {
	for i, set := range r.Sets {
		for _, o := range set.Objects {
			if o.Annotation(syncWave) == "" {
				o.SetAnnotation(syncWave, strconv.Itoa(i))
			}
		}
	}
}
