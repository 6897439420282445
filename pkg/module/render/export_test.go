// SPDX-License-Identifier: Apache-2.0

package render

import "context"

// BuildMany is what BuildAll does with small modules.
func BuildMany(ctx context.Context, reqs []Request) ([]*Result, error) {
	common := &shared{}
	for i := range reqs {
		reqs[i].shared = common
	}
	return buildMany(ctx, reqs)
}

// IsKept says whether a result was read from a cache.
func IsKept(r *Result) bool { return r.again != nil }
