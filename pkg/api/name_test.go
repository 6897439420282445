// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"a": true, "app": true, "a.b_c-1": true, strings.Repeat("a", 63): true, "1": true,
		"": false, "A": false, "-a": false, "a-": false, "a/b": false, strings.Repeat("a", 64): false, "a b": false, "a\n": false,
	} {
		if err := api.CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
	for name, ok := range map[string]bool{
		"apps": true, "a-1": true, "a.b": false, "a_b": false, "": false, "Apps": false, "-": false,
	} {
		if err := api.CheckNamespace(name); (err == nil) != ok {
			t.Errorf("CheckNamespace(%q) = %v", name, err)
		}
	}
}
