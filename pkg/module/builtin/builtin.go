// SPDX-License-Identifier: Apache-2.0

// Package builtin knows of the kinds of Kubernetes itself what an API server
// would refuse: kinds and versions that it does not serve, fields that are not
// as its OpenAPI documents describe them, selectors that select nothing.
package builtin

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// Problem is what is wrong with an object.
type Problem struct {
	Index   int // of the object
	Object  api.ID
	Path    string // of the field; empty for the object
	Message string
	// Harmless says that an API server takes the object all the same.
	Harmless bool
}

// String returns the problem in one line.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%s: %s", p.Object, p.Message)
	}
	return fmt.Sprintf("%s: %s: %s", p.Object, p.Path, p.Message)
}

// Schemas are what objects are held to. They are safe for concurrent use.
type Schemas struct {
	openAPI    *crd.OpenAPI
	isEmbedded bool
}

// Of returns the schemas that an API server publishes, which may have kinds
// of others.
func Of(openAPI *crd.OpenAPI) *Schemas { return &Schemas{openAPI: openAPI} }

// Check returns what is wrong with the objects for a version of Kubernetes,
// such as 1.36.3, in their order. The schemas in the binary, which are of 1.36,
// stand in for those of older versions.
func (s *Schemas) Check(objects []api.Object, version string) []Problem {
	c := &checker{Schemas: s, objects: objects, minor: minorOf(version), removed: removals()}
	for i, object := range objects {
		c.index = i
		if !api.IsBuiltIn(object.Group()) {
			c.structure(object)
			c.labels(object)
			continue
		}
		if c.kind(object) {
			c.structure(object)
			c.labels(object)
			c.fields(object)
			c.pods(object)
			c.restartPolicy(object)
			c.selector(object)
			c.ports(object)
		}
	}
	return c.problems
}

func minorOf(version string) int {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0
	}
	minor, _ := strconv.Atoi(strings.TrimRight(parts[1], "+")) // 0: not known
	return minor
}

type checker struct {
	*Schemas

	objects  []api.Object
	minor    int
	removed  []gone
	index    int
	problems []Problem
}

func (c *checker) add(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		Index: c.index, Object: c.objects[c.index].ID(), Path: path, Message: fmt.Sprintf(format, args...),
	})
}

// isNewer says whether the version of Kubernetes is one whose kinds and fields
// are not known.
func (c *checker) isNewer() bool { return c.isEmbedded && c.minor > minorOf(kubernetes) }

// structure holds an object to the schema of its kind.
func (c *checker) structure(o api.Object) {
	if c.isNewer() {
		return
	}
	for _, p := range c.openAPI.Validate(o) {
		c.add(p.Path, "%s", p.Message)
	}
}

// kind says whether the kind is served.
func (c *checker) kind(o api.Object) bool {
	version, kind := o.APIVersion(), o.Kind()
	if strings.Contains(notObjects, "\n"+version+" "+kind+"\n") {
		c.add("kind", "an object of %s %s cannot be applied: the API server does not store it", version, kind)
		return false
	}
	if served, _ := c.openAPI.Serves(version, kind); served || strings.HasSuffix(kind, "List") {
		return true
	}
	for _, r := range c.removed {
		if r.apiVersion != version || !slices.Contains(r.kinds, kind) {
			continue
		}
		switch {
		case c.minor > 0 && c.minor < r.minor:
			return true
		case r.successor == "":
			c.add("apiVersion", "Kubernetes 1.%d removed %s %s; it has no successor", r.minor, version, kind)
		default:
			c.add("apiVersion", "Kubernetes 1.%d removed %s %s: use %s", r.minor, version, kind, r.successor)
		}
		return false
	}
	if c.isNewer() || c.isEmbedded && c.minor < minorOf(kubernetes) && previewRE.MatchString(version) {
		return true // it may be new, or old: those that are not stable come and go
	}
	return c.unknown(version, kind, o.Group())
}

var previewRE = regexp.MustCompile(`/v[0-9]+(alpha|beta)[0-9]+$`)

// unknown adds that a kind does not exist, with what may have been meant. It
// says whether it may exist all the same: documents need not be of all groups.
func (c *checker) unknown(version, kind, group string) bool {
	var versions, names []string
	for v, all := range c.openAPI.Kinds() {
		if in, _, found := strings.Cut(v, "/"); found && in == group || !found && group == "" {
			names = append(names, all...)
			if slices.Contains(all, kind) {
				versions = append(versions, v)
			}
		}
	}
	server := "Kubernetes " + kubernetes
	if !c.isEmbedded {
		server = "the API server of the given schema"
	}
	slices.Sort(versions)
	slices.Sort(names)
	switch near, isNear := fail.Nearest(kind, slices.Compact(names)); {
	case len(versions) > 0:
		c.add("apiVersion", "%s serves no %s %s: use %s", server, version, kind, strings.Join(versions, " or "))
	case isNear:
		c.add("kind", "%s has no kind %q in %s: did you mean %q?", server, kind, version, near)
	case len(names) > 0 || c.isEmbedded:
		c.add("kind", "%s has no kind %q in %s", server, kind, version)
	default:
		return true
	}
	return false
}

// template returns where the pods of a kind are described, "" if it has none,
// and the restart policies that they may have.
func template(o api.Object) (path string, policies []string) {
	switch o.Kind() {
	case "Pod":
		return "", []string{"Always", "OnFailure", "Never"}
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController":
		return "spec.template.", []string{"Always"}
	case "Job":
		return "spec.template.", []string{"OnFailure", "Never"}
	case "CronJob":
		return "spec.jobTemplate.spec.template.", []string{"OnFailure", "Never"}
	}
	return "", nil
}

// restartPolicy wants that of the pods to be one that their kind allows.
func (c *checker) restartPolicy(o api.Object) {
	at, policies := template(o)
	if policies == nil {
		return
	}
	spec, isMap := lookup(map[string]any(o), at+"spec").(map[string]any)
	policy, _ := spec["restartPolicy"].(string)
	switch at += "spec.restartPolicy"; {
	case policy == "" && isMap && spec["restartPolicy"] == nil && !slices.Contains(policies, "Always"): // the default
		c.addNew(at, "is required: %s", strings.Join(policies, " or "))
	case policy != "" && !slices.Contains(policies, policy):
		c.addNew(at, "unsupported value %q: expected %s", policy, strings.Join(policies, ", "))
	}
}

// visit calls found with each value at a path, in which [] is every element.
func visit(v any, at string, path []string, found func(at string, v any)) {
	if len(path) == 0 {
		found(at, v)
		return
	}
	if path[0] == "[]" {
		list, _ := v.([]any)
		for i, element := range list {
			visit(element, fmt.Sprintf("%s[%d]", at, i), path[1:], found)
		}
		return
	}
	if m, ok := v.(map[string]any); ok && m[path[0]] != nil {
		visit(m[path[0]], strings.TrimPrefix(at+"."+path[0], "."), path[1:], found)
	}
}

// lookup returns the value at a path of names.
func lookup(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Unpinned returns the images of the containers that are not named by a digest,
// each of which is harmless.
func Unpinned(objects []api.Object) []Problem {
	c := &checker{objects: objects}
	for i, o := range objects {
		c.index = i
		at, policies := template(o)
		if policies == nil {
			continue
		}
		for _, list := range []string{"containers", "initContainers"} {
			visit(map[string]any(o), "", strings.Split(at+"spec."+list+".[].image", "."), func(path string, v any) {
				if image, ok := v.(string); ok && !strings.Contains(image, "@") {
					c.warn(path, "image %q is not named by a digest", image)
				}
			})
		}
	}
	return c.problems
}

// ports warns of the ports of a Service that no container of its pods has.
func (c *checker) ports(o api.Object) {
	selector := labelsAt(o, "spec.selector")
	if o.Kind() != "Service" || len(selector) == 0 {
		return
	}
	names, numbers, selects := c.portsOf(o.Namespace(), selector)
	if !selects {
		return
	}
	list, _ := lookup(map[string]any(o), "spec.ports").([]any)
	for i, element := range list {
		port, _ := element.(map[string]any)
		target := port["targetPort"]
		if target == nil {
			target = port["port"]
		}
		name, isName := target.(string)
		switch {
		case isName && !slices.Contains(names, name):
			c.warn(fmt.Sprintf("spec.ports[%d].targetPort", i), "no container of the selected pods has a port named %q", name)
		case !isName && len(numbers) > 0 && !slices.Contains(numbers, fmt.Sprint(target)):
			c.warn(fmt.Sprintf("spec.ports[%d]", i), "no container of the selected pods has the port %v", target)
		}
	}
}

func (c *checker) warn(path, format string, args ...any) {
	c.add(path, format, args...)
	c.problems[len(c.problems)-1].Harmless = true
}

// portsOf returns the ports of the containers of what a selector selects.
func (c *checker) portsOf(namespace string, selector map[string]any) (names, numbers []string, selects bool) {
	for _, o := range c.objects {
		at, policies := template(o)
		if policies == nil || o.Namespace() != namespace {
			continue
		}
		if !isSubset(selector, labelsAt(o, at+"metadata.labels")) {
			continue
		}
		selects = true
		for _, list := range []string{"containers", "initContainers"} {
			visit(map[string]any(o), "", strings.Split(at+"spec."+list+".[].ports.[]", "."), func(_ string, v any) {
				port, _ := v.(map[string]any)
				if name, ok := port["name"].(string); ok {
					names = append(names, name)
				}
				numbers = append(numbers, fmt.Sprint(port["containerPort"]))
			})
		}
	}
	return names, numbers, selects
}

func isSubset(some, all map[string]any) bool {
	for key, value := range some {
		if all[key] != value {
			return false
		}
	}
	return true
}
