// SPDX-License-Identifier: Apache-2.0

package render

import "context"

// BuildMany is what BuildAll does with quick modules.
func BuildMany(ctx context.Context, reqs []Request) ([]*Result, error) {
	common := &shared{}
	for i := range reqs {
		reqs[i].shared = common
	}
	return buildMany(ctx, reqs)
}

// WellKnown returns project, group and kinds of each row.
func WellKnown() [][3]string {
	var rows [][3]string
	for _, known := range wellKnown() {
		rows = append(rows, [3]string{known.project, known.group, known.kinds})
	}
	return rows
}
