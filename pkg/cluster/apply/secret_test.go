// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"strings"
	"testing"
)

// TestSecretInRefusal holds that what the server refuses of a Secret is shown
// without what is in it.
func TestSecretInRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, field := range []string{"stringData: {pin: 1234567890}", "stringData: supersecretstring", "data: {pin: [topsecretlist]}"} {
		plan, err := w.engine.Plan(t.Context(), w.request("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"+field+"\n"))
		if err == nil {
			err = plan.Refusal()
		}
		if err == nil {
			t.Errorf("%s is not refused", field)
			continue
		}
		for _, secret := range []string{"1234567890", "supersecret", "topsecret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows %s: %v", secret, err)
			}
		}
	}
}
