// SPDX-License-Identifier: Apache-2.0

package sops_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// TestIsEncrypted tells files of SOPS from others that look like them. That
// files are decrypted is held by the script interop/sops, with the real program.
func TestIsEncrypted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n": true,
		`{"data": "ENC[AES256_GCM,data:x]", "sops": {"mac": "ENC[AES256_GCM,data:y]"}}`:         true,
		"a: ENC[AES256_GCM,data:x]\nsops: {mac: 1}\n":                                           false,
		"a: ENC[AES256_GCM,data:x]\nb: {sops: {mac: ENC[AES256_GCM,data:y]}}\n":                 false,
		"sops: [ENC[AES256_GCM,data:x]]\n":                                                      false,
		"ENC[AES256_GCM,":                                                                       false,
		"":                                                                                      false,
	} {
		if got := sops.IsEncrypted([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
