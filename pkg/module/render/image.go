// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"cuelang.org/go/cue"
)

// readImages returns the references of the container images in the instance's
// configuration: of every struct that has the fields repository, tag, digest
// and reference (docs/interop.md, section 1).
func readImages(config cue.Value) []string {
	var images []string
	collectImages(config, &images)
	slices.Sort(images)
	return slices.Compact(images)
}

func collectImages(v cue.Value, images *[]string) {
	if items, err := v.List(); err == nil {
		for items.Next() {
			collectImages(items.Value(), images)
		}
		return
	}
	fields, err := v.Fields()
	if err != nil {
		return
	}
	parts, reference := 0, ""
	for fields.Next() {
		switch fields.Selector().Unquoted() {
		case "repository", "tag", "digest":
			parts++
		case "reference":
			reference, _ = fields.Value().String()
		}
		collectImages(fields.Value(), images)
	}
	if parts == 3 && reference != "" {
		*images = append(*images, reference)
	}
}
