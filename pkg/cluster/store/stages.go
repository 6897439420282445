// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"maps"
)

// stagesKey is the data key of the record that holds, until a run has ended, in
// which stage each object of its revision is applied. A run that dies writes no
// ledger, and a delete must know what was built on what.
const stagesKey = "stages"

// StagesWith returns, by inventory id, the stages of the objects of a record:
// those that an unfinished run noted, and else those of the ledger.
func (r *Record) StagesWith(ledger *Ledger) map[string]int {
	stages := map[string]int{}
	maps.Copy(stages, ledger.Stages)
	if r != nil {
		maps.Copy(stages, r.Stages)
	}
	return stages
}

// stagesOf returns the stages to note for a run that begins: its own and those
// of an earlier one that did not end, as far as the inventory names them.
func stagesOf(prev, next *Record, stages map[string]int) map[string]int {
	noted := map[string]int{}
	for _, e := range next.Inventory() {
		if stage, known := stages[e.ID]; known {
			noted[e.ID] = stage
		} else if prev != nil && prev.Stages[e.ID] > 0 {
			noted[e.ID] = prev.Stages[e.ID]
		}
	}
	return noted
}

// decodeStages returns the stages in the data of a record. What cannot be read
// is unknown, which a delete can do with.
func decodeStages(data map[string]any) map[string]int {
	encoded, _ := data[stagesKey].(string)
	text, err := unpack(encoded)
	if err != nil {
		return nil
	}
	var stages map[string]int
	if json.Unmarshal(text, &stages) != nil {
		return nil
	}
	return stages
}
