// SPDX-License-Identifier: Apache-2.0

package mirror

// ParseMirrors returns the mirrors of a file as PREFIX=PREFIX.
func ParseMirrors(data []byte) (pairs []string, err error) {
	all, err := parseSettings(data)
	for _, m := range all.mirrors {
		pairs = append(pairs, m.from+"="+m.to)
	}
	return pairs, err
}
