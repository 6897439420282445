// SPDX-License-Identifier: Apache-2.0

package wellknown

// KindNames returns the kinds of each line as KIND.GROUP, by project.
func KindNames() map[string][]string {
	names := map[string][]string{}
	for _, r := range rows() {
		for _, kind := range r.kinds {
			names[r.project] = append(names[r.project], kind+"."+r.group)
		}
	}
	return names
}
