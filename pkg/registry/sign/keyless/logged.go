// SPDX-License-Identifier: Apache-2.0

package keyless

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
)

// logged is an entry as the transparency log answers with it.
type logged struct {
	Body           []byte `json:"body"`
	IntegratedTime int64  `json:"integratedTime"`
	LogIndex       int64  `json:"logIndex"`
	LogID          string `json:"logID"` // hex
	Verification   struct {
		SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
		InclusionProof       struct {
			Checkpoint string   `json:"checkpoint"`
			Hashes     []string `json:"hashes"` // hex
			LogIndex   int64    `json:"logIndex"`
			RootHash   string   `json:"rootHash"` // hex
			TreeSize   int64    `json:"treeSize"`
		} `json:"inclusionProof"`
	} `json:"verification"`
}

// material returns the entry as a bundle holds it: numbers are strings, and
// bytes base64.
func (l logged) material() (map[string]any, error) {
	var kind struct{ APIVersion, Kind string }
	if json.Unmarshal(l.Body, &kind) != nil {
		return nil, errUnreadable
	}
	proof := l.Verification.InclusionProof
	decoded, err := decodeHex(append([]string{l.LogID, proof.RootHash}, proof.Hashes...))
	if err != nil {
		return nil, errUnreadable
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return map[string]any{
		"logIndex": number(l.LogIndex), "logId": map[string]any{"keyId": decoded[0]},
		"kindVersion":    map[string]string{"kind": kind.Kind, "version": kind.APIVersion},
		"integratedTime": number(l.IntegratedTime), "canonicalizedBody": l.Body,
		"inclusionPromise": map[string]any{"signedEntryTimestamp": l.Verification.SignedEntryTimestamp},
		"inclusionProof": map[string]any{
			"logIndex": number(proof.LogIndex), "rootHash": decoded[1], "treeSize": number(proof.TreeSize),
			"hashes": decoded[2:], "checkpoint": map[string]string{"envelope": proof.Checkpoint},
		},
	}, nil
}

var errUnreadable = errors.New("the transparency log: the answer holds no entry that can be read")

func decodeHex(texts []string) ([][]byte, error) {
	list := make([][]byte, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = hex.DecodeString(text); err != nil {
			return nil, err
		}
	}
	return list, nil
}
