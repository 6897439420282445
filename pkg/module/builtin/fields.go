// SPDX-License-Identifier: Apache-2.0

package builtin

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// notObjects are the kinds that only requests and answers have.
// TestNotObjects holds them to its discovery.
const notObjects = `
authentication.k8s.io/v1 SelfSubjectReview
authentication.k8s.io/v1 TokenRequest
authentication.k8s.io/v1 TokenReview
authorization.k8s.io/v1 LocalSubjectAccessReview
authorization.k8s.io/v1 SelfSubjectAccessReview
authorization.k8s.io/v1 SelfSubjectRulesReview
authorization.k8s.io/v1 SubjectAccessReview
autoscaling/v1 Scale
policy/v1 Eviction
v1 Binding
v1 ComponentStatus
`

// addNew adds a problem unless there is one of the field, or of one around it.
func (c *checker) addNew(path, format string, args ...any) {
	for _, p := range c.problems {
		if p.Index == c.index && (p.Path == path || strings.HasPrefix(path, p.Path+".") || strings.HasPrefix(path, p.Path+"[")) {
			return
		}
	}
	c.add(path, format, args...)
}

// bound is a rule that the OpenAPI documents do not have.
type bound struct {
	kind, path string
	min, max   float64
}

func bounds() []bound {
	return []bound{
		{"Service", "spec.ports.[].port", 1, 65535},
		{"HorizontalPodAutoscaler", "spec.maxReplicas", 1, math.MaxInt32},
	}
}

// withSpec are the kinds of which the server wants a spec, where the documents
// do not say so.
const withSpec = " Pod Deployment StatefulSet DaemonSet ReplicaSet ReplicationController Job CronJob" +
	" Service PersistentVolumeClaim HorizontalPodAutoscaler Ingress "

// knows says whether the version of Kubernetes is one whose objects of the kind
// are known.
func (c *checker) knows(o api.Object) bool {
	served, _ := c.openAPI.Serves(o.APIVersion(), o.Kind())
	return served && !c.isNewer()
}

// fields holds an object to what the server wants of single fields.
func (c *checker) fields(o api.Object) {
	if !c.knows(o) {
		return
	}
	if strings.Contains(withSpec, " "+o.Kind()+" ") && o["spec"] == nil {
		c.addNew("spec", "is required")
	}
	for _, b := range bounds() {
		if o.Kind() == b.kind {
			c.within(o, b.path, b.min, b.max)
		}
	}
	list, _ := lookup(map[string]any(o), "spec.ports").([]any)
	if o.Kind() != "Service" || len(list) < 2 {
		return
	}
	for i, port := range list {
		if m, ok := port.(map[string]any); ok && (m["name"] == nil || m["name"] == "") {
			c.addNew(fmt.Sprintf("spec.ports[%d].name", i), "is required where there are several ports")
		}
	}
}

// within wants the numbers at a path between two others.
func (c *checker) within(o api.Object, path string, low, high float64) {
	visit(map[string]any(o), "", strings.Split(path, "."), func(at string, v any) {
		n, isInt := v.(int64)
		if isInt && (float64(n) < low || float64(n) > high) {
			c.addNew(at, "must be at least %v and at most %v, not %d", low, int64(high), n)
		}
	})
}

// labels holds labels, and the names of annotations, to their syntax.
func (c *checker) labels(o api.Object) {
	places := []string{"metadata"}
	if at, policies := template(o); policies != nil && at != "" && api.IsBuiltIn(o.Group()) {
		places = append(places, at+"metadata")
	}
	for _, at := range places {
		labels, _ := lookup(map[string]any(o), at+".labels").(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			if problems := validation.IsQualifiedName(key); len(problems) > 0 {
				c.addNew(at+".labels", "the name %q: %s", key, problems[0])
			}
			if value, ok := labels[key].(string); ok {
				if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
					c.addNew(at+".labels."+key, "the value %q: %s", value, problems[0])
				}
			}
		}
		annotations, _ := lookup(map[string]any(o), at+".annotations").(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(annotations)) {
			if problems := validation.IsQualifiedName(strings.ToLower(key)); len(problems) > 0 {
				c.addNew(at+".annotations", "the name %q: %s", key, problems[0])
			}
		}
	}
}

// pods holds the containers of pods to what the server wants of them. It looks
// at those of a StatefulSet hardly at all.
func (c *checker) pods(o api.Object) {
	at, policies := template(o)
	spec, isMap := lookup(map[string]any(o), at+"spec").(map[string]any)
	if policies == nil || !isMap || o.Kind() == "StatefulSet" || !c.knows(o) {
		return
	}
	if list, isList := spec["containers"].([]any); spec["containers"] == nil || isList && len(list) == 0 {
		c.addNew(at+"spec.containers", "is required: at least one container")
	}
	var volumes []string
	visit(spec, "", []string{"volumes", "[]", "name"}, func(_ string, name any) { volumes = append(volumes, fmt.Sprint(name)) })
	for _, list := range []string{"containers", "initContainers"} {
		c.within(o, at+"spec."+list+".[].ports.[].containerPort", 1, 65535)
		visit(map[string]any(o), "", strings.Split(at+"spec."+list+".[]", "."), func(path string, v any) {
			container, ok := v.(map[string]any)
			if !ok {
				return
			}
			// That of a template may be set by what comes after us.
			if image := container["image"]; image == "" || image == nil && o.Kind() == "Pod" {
				c.addNew(path+".image", "is required")
			}
			visit(container, path, []string{"volumeMounts", "[]", "name"}, func(path string, name any) {
				if name, ok := name.(string); ok && !slices.Contains(volumes, name) {
					c.addNew(path, "the pod has no volume %q", name)
				}
			})
		})
	}
}
