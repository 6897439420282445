// SPDX-License-Identifier: Apache-2.0

package ready_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestParseWaitRule(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Deployment=Available", "Widget/app=condition=Ready", "Widget.example.com/app=condition=Ready=Unknown",
		"Widget=jsonpath={.status.phase}=Running", "Widget=jsonpath=.status.phase", "Widget=jsonpath={.status.conditions[?(@.type=='Ready')].status}=True",
		`Widget=cel=self.status.phase == "Ready"`,
	} {
		if _, err := ready.ParseWaitRule(text); err != nil {
			t.Errorf("ParseWaitRule(%q): %v", text, err)
		}
	}
	for _, text := range []string{"", "Deployment", "Deployment=", "=Ready", "Widget=condition=", "Widget=Ready=", "Widget=a=b=c", "Widget=jsonpath={.a", "Widget=jsonpath={.a[}", "Widget=cel=", "Widget=cel= "} {
		if rule, err := ready.ParseWaitRule(text); fail.CodeOf(err) != fail.Usage {
			t.Errorf("ParseWaitRule(%q) = %+v, %v", text, rule, err)
		}
	}
}

func FuzzWaitRule(f *testing.F) {
	f.Add("Widget=jsonpath={.status.conditions[?(@.type=='Ready')].status}=True")
	f.Add("Widget=condition=Ready=True")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ready.ParseWaitRule(text); err != nil && fail.CodeOf(err) != fail.Usage {
			t.Errorf("ParseWaitRule(%q): %v", text, err)
		}
	})
}
