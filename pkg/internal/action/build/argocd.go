// SPDX-License-Identifier: Apache-2.0

package build

import (
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// ArgoCDHealth returns the part of Argo CD's configuration, a ConfigMap, that
// says how healthy the custom resources of the instance are: the module's
// health checks in Lua. The observer is warned of those that cannot be
// translated.
func (r *Result) ArgoCDHealth(observer event.Observer) api.Object {
	checks, warnings := r.conditions()
	for _, text := range warnings {
		observer.Observe(event.Warning{Text: text})
	}
	data := map[string]any{}
	for _, c := range checks {
		data["resource.customizations.health."+c.group+"_"+c.kind] = c.lua()
	}
	return api.Object{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{
			"name": "argocd-cm", "namespace": "argocd",
			"labels": map[string]any{"app.kubernetes.io/part-of": "argocd"},
		},
		"data": data,
	}
}

// lua returns the condition as a health check of Argo CD: obj is the object.
// One that is not to be waited for is healthy, because waves wait for it.
func (c condition) lua() string {
	return fmt.Sprintf(`if (obj.metadata.annotations or {})["%[3]s"] == "%[4]s" then
  return {status = "Healthy", message = "not waited for"}
end
local health = {status = "Progressing", message = "waiting for the condition %[1]s"}
local generation = obj.metadata.generation or 0
local status = obj.status or {}
if (status.observedGeneration or generation) < generation then
  return health
end
for _, c in ipairs(status.conditions or {}) do
  if c.status == "True" and (c.observedGeneration or generation) >= generation then
    if c.type == "%[2]s" then
      return {status = "Degraded", message = c.message}
    end
    if c.type == "%[1]s" then
      health = {status = "Healthy", message = c.message}
    end
  end
end
return health
`, c.Ready, c.Failed, api.AnnotationWait, api.DisabledValue)
}
