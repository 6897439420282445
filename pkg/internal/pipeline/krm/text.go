// SPDX-License-Identifier: Apache-2.0

package krm

import "bytes"

// textOfItems returns the text of the items in a ResourceList of the form in
// which kustomize and kpt write it, nil for one of any other: apiVersion, kind,
// items, functionConfig, each once, and what is in them indented. Whatever an
// object says then, a line that begins like one of these is none.
func textOfItems(stream []byte, items int) []byte {
	begin, end, elements, offset := 0, 0, 0, 0
	seen := map[string]bool{}
	for line := range bytes.Lines(stream) {
		start := offset
		offset += len(line)
		key, _, _ := bytes.Cut(line, []byte(":"))
		name := string(key)
		switch {
		case line[0] == ' ' || line[0] == '\n':
			continue
		case bytes.HasPrefix(line, []byte("- ")) && begin > 0 && end == 0:
			elements++
			continue
		case seen[name]:
			return nil
		case string(line) == "items:\n":
			begin = offset
		case name == "functionConfig" && begin > 0:
			end = start
		case name != "apiVersion" && name != "kind":
			return nil
		}
		seen[name] = true
	}
	if end == 0 || elements != items {
		return nil
	}
	return stream[begin:end]
}
