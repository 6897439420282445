// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	web := event.Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "prod", Name: "web"}
	for text, selects := range map[string]bool{
		"Deployment": true, "deployment": true, "Deployment.apps": true, "Deployment/web": true, "deployment.apps/web": true,
		"Deployment/prod/web": true, "Deployment.apps/prod/web": true,
		"Deployment/db": false, "Deployment.example.com/web": false, "Deployment/dev/web": false, "Service/web": false,
	} {
		target, err := api.ParseTarget(text)
		if err != nil || target.String() != text {
			t.Errorf("ParseTarget(%q) = %v, %v", text, target, err)
		}
		if got := target.Selects(web); got != selects {
			t.Errorf("%s selects %s: %v, want %v", text, web, got, selects)
		}
	}
	for _, text := range []string{"", "/web", "Deployment/", "Deployment//web", "Deployment/a/b/c", ".apps/web"} {
		if target, err := api.ParseTarget(text); fail.CodeOf(err) != fail.Usage {
			t.Errorf("ParseTarget(%q) = %v, %v", text, target, err)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("Deployment.apps/prod/web")
	f.Fuzz(func(t *testing.T, text string) {
		target, err := api.ParseTarget(text)
		if err != nil {
			return
		}
		again, err := api.ParseTarget(target.String())
		if err != nil || again != target {
			t.Errorf("%q is read as %#v, which is written %q and read as %#v, %v", text, target, target, again, err)
		}
	})
}
