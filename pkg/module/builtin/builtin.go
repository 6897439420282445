// SPDX-License-Identifier: Apache-2.0

// Package builtin knows of the kinds of Kubernetes itself what an API server
// would refuse: kinds and versions that it does not serve, values that are none
// of an enumeration, selectors that select nothing.
package builtin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Problem is what is wrong with an object.
type Problem struct {
	Index   int // of the object
	Object  api.ID
	Path    string // of the field
	Message string
	// Harmless says that an API server takes the object all the same.
	Harmless bool
}

// String returns the problem in one line.
func (p Problem) String() string { return fmt.Sprintf("%s: %s: %s", p.Object, p.Path, p.Message) }

// Check returns what is wrong with the objects for a version of Kubernetes,
// such as 1.36.3, in the order of the objects.
func Check(objects []api.Object, version string) []Problem {
	c := &checker{objects: objects, minor: minorOf(version), served: kinds(), removed: removals()}
	for i, o := range objects {
		if !api.IsBuiltIn(o.Group()) {
			continue
		}
		c.index = i
		if c.kind(o) {
			c.enums(o)
			c.selector(o)
			c.ports(o)
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
	objects  []api.Object
	minor    int
	served   map[string][]string
	removed  []gone
	index    int
	problems []Problem
}

func (c *checker) add(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		Index: c.index, Object: c.objects[c.index].ID(), Path: path, Message: fmt.Sprintf(format, args...),
	})
}

// kind says whether the kind is served.
func (c *checker) kind(o api.Object) bool {
	version, kind := o.APIVersion(), o.Kind()
	if slices.Contains(c.served[version], kind) || strings.HasSuffix(kind, "List") {
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
	if known := minorOf(kubernetes); c.minor > known {
		return true // it may be new
	}
	c.unknown(version, kind, o.Group())
	return false
}

// unknown adds that a kind does not exist, with what may have been meant.
func (c *checker) unknown(version, kind, group string) {
	var versions, names []string
	for v, all := range c.served {
		if in, _, found := strings.Cut(v, "/"); found && in == group || !found && group == "" {
			names = append(names, all...)
			if slices.Contains(all, kind) {
				versions = append(versions, v)
			}
		}
	}
	slices.Sort(versions)
	slices.Sort(names)
	if len(versions) > 0 {
		c.add("apiVersion", "Kubernetes %s serves no %s %s: use %s", kubernetes, version, kind, strings.Join(versions, " or "))
		return
	}
	advice := ""
	if near, ok := fail.Nearest(kind, slices.Compact(names)); ok {
		advice = fmt.Sprintf(": did you mean %q?", near)
	}
	c.add("kind", "Kubernetes %s has no kind %q in %s%s", kubernetes, kind, version, advice)
}

// enumeration is the values that a field may have.
type enumeration struct {
	path   string
	values []string
}

// of returns the enumerations of a kind, besides those of its pods.
func enumerationsOf(o api.Object) []enumeration {
	switch o.Kind() {
	case "Service":
		return []enumeration{
			{"spec.type", []string{"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}},
			{"spec.ports[].protocol", protocols()},
			{"spec.sessionAffinity", []string{"None", "ClientIP"}},
			{"spec.externalTrafficPolicy", []string{"Cluster", "Local"}},
			{"spec.internalTrafficPolicy", []string{"Cluster", "Local"}},
			{"spec.ipFamilyPolicy", []string{"SingleStack", "PreferDualStack", "RequireDualStack"}},
		}
	case "Deployment":
		return []enumeration{{"spec.strategy.type", []string{"Recreate", "RollingUpdate"}}}
	case "StatefulSet":
		return []enumeration{
			{"spec.updateStrategy.type", []string{"OnDelete", "RollingUpdate"}},
			{"spec.podManagementPolicy", []string{"OrderedReady", "Parallel"}},
		}
	case "DaemonSet":
		return []enumeration{{"spec.updateStrategy.type", []string{"OnDelete", "RollingUpdate"}}}
	case "CronJob":
		return []enumeration{{"spec.concurrencyPolicy", []string{"Allow", "Forbid", "Replace"}}}
	case "Job":
		return []enumeration{{"spec.completionMode", []string{"NonIndexed", "Indexed"}}}
	case "PersistentVolumeClaim":
		return []enumeration{
			{"spec.accessModes[]", []string{"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}},
			{"spec.volumeMode", []string{"Block", "Filesystem"}},
		}
	case "StorageClass":
		return []enumeration{
			{"reclaimPolicy", []string{"Delete", "Retain"}},
			{"volumeBindingMode", []string{"Immediate", "WaitForFirstConsumer"}},
		}
	case "Ingress":
		return []enumeration{{"spec.rules[].http.paths[].pathType", []string{"Exact", "Prefix", "ImplementationSpecific"}}}
	case "NetworkPolicy":
		return []enumeration{{"spec.policyTypes[]", []string{"Ingress", "Egress"}}}
	}
	return nil
}

func protocols() []string { return []string{"TCP", "UDP", "SCTP"} }

// templates returns where the pods of a kind are described, "" if it has none,
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

func (c *checker) enums(o api.Object) {
	all := enumerationsOf(o)
	if at, policies := template(o); policies != nil {
		all = append(all,
			enumeration{at + "spec.restartPolicy", policies},
			enumeration{at + "spec.dnsPolicy", []string{"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"}})
		for _, list := range []string{"containers", "initContainers"} {
			all = append(all,
				enumeration{at + "spec." + list + "[].imagePullPolicy", []string{"Always", "IfNotPresent", "Never"}},
				enumeration{at + "spec." + list + "[].ports[].protocol", protocols()})
		}
	}
	for _, e := range all {
		visit(map[string]any(o), "", strings.Split(strings.ReplaceAll(e.path, "[]", ".[]"), "."), func(path string, v any) {
			s, ok := v.(string)
			if ok && s != "" && !slices.Contains(e.values, s) {
				c.add(path, "unsupported value %q: expected %s", s, strings.Join(e.values, ", "))
			}
		})
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

// selector holds the selector of a workload to the labels of its pods.
func (c *checker) selector(o api.Object) {
	switch o.Kind() {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
	default:
		return
	}
	const at = "spec.selector.matchLabels"
	wanted, _ := lookup(map[string]any(o), at).(map[string]any)
	labels, _ := lookup(map[string]any(o), "spec.template.metadata.labels").(map[string]any)
	var missing []string
	for key, value := range wanted {
		if labels[key] != value {
			missing = append(missing, fmt.Sprintf("%s=%v", key, value))
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		c.add(at, "the labels of spec.template do not have %s", strings.Join(missing, ", "))
	}
}

// ports warns of the ports of a Service that no container of its pods has.
func (c *checker) ports(o api.Object) {
	selector, _ := lookup(map[string]any(o), "spec.selector").(map[string]any)
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
		labels, _ := lookup(map[string]any(o), at+"metadata.labels").(map[string]any)
		if !isSubset(selector, labels) {
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
