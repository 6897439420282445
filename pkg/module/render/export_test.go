// SPDX-License-Identifier: Apache-2.0

package render

import "context"

// BuildTogether is what BuildAll does with quick modules.
func BuildTogether(ctx context.Context, reqs []Request) ([]*Result, error) {
	common := &shared{}
	for i := range reqs {
		reqs[i].shared = common
	}
	return buildTogether(ctx, reqs)
}
