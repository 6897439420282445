// SPDX-License-Identifier: Apache-2.0

package crd

// CheckRules returns what is wrong with a value, as path: message.
func CheckRules(schema map[string]any, v any) ([]string, error) {
	r, err := newRules(constraints(schema))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, p := range r.check("", v) {
		lines = append(lines, p.path+": "+p.message)
	}
	return lines, nil
}
