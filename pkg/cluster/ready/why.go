// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// trouble is what is known beside its conditions of an object that is not ready.
type trouble struct {
	text string // empty when nothing is known

	pod       api.Object // the one that the text is about, nil when it is about none
	container string     // the one of the pod whose log may tell more
}

// Why returns, for an object that is not ready, what a container of its pods
// says, or the newest warning about a pod or the object itself; empty when
// nothing is known.
func (w Watcher) Why(ctx context.Context, live api.Object) string { return w.why(ctx, live).text }

// why returns what a container of the object's pods says, or the newest warning
// about a pod or the object itself. It is only a help: what may not be read is
// left out.
func (w Watcher) why(ctx context.Context, live api.Object) trouble {
	if live == nil {
		return trouble{}
	}
	for _, pod := range w.podsOf(ctx, live) {
		if isReady(pod) {
			continue
		}
		if t := containerTrouble(pod); t.text != "" {
			t.text = "Pod/" + pod.Name() + ": " + t.text
			return t
		}
		if warning := w.lastWarning(ctx, pod); warning != "" {
			return trouble{text: "Pod/" + pod.Name() + ": " + warning}
		}
	}
	return trouble{text: w.lastWarning(ctx, live)}
}

// What is shown of the log of a container.
const (
	logLines = 10
	logBytes = 2 << 10
)

// logTail returns the end of the log of the container that is to blame, each
// line indented, or a note that it cannot be had; empty when no container is.
func (w Watcher) logTail(ctx context.Context, t trouble) string {
	if t.container == "" {
		return ""
	}
	text, err := w.Client.Log(ctx, t.pod.Namespace(), t.pod.Name(), kube.LogOptions{
		Container: t.container, Lines: logLines, Bytes: logBytes,
	})
	switch {
	case apierrors.IsForbidden(err):
		return "its log may not be read"
	case err != nil:
		return "its log cannot be read: " + firstLine(err.Error())
	case strings.TrimSpace(text) == "":
		return ""
	}
	return "the end of its log:\n    " + strings.ReplaceAll(strings.TrimSpace(printable(text)), "\n", "\n    ")
}

// printable returns a text without the characters that do things to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// podsOf returns the pods that a workload selects, or the pod itself.
func (w Watcher) podsOf(ctx context.Context, live api.Object) []api.Object {
	if live.Is("", "Pod") {
		return []api.Object{live}
	}
	if !kube.IsBuiltIn(live.Group()) {
		return nil
	}
	labels, _, _ := unstructured.NestedStringMap(live, "spec", "selector", "matchLabels")
	if len(labels) == 0 {
		return nil
	}
	var terms []string
	for k, v := range labels {
		terms = append(terms, k+"="+v)
	}
	slices.Sort(terms)
	pods, _, err := w.Client.List(ctx, kube.Core("Pod", "pods"), live.Namespace(), kube.Selector{Labels: strings.Join(terms, ",")})
	if err != nil {
		return nil
	}
	return pods
}

func isReady(pod api.Object) bool {
	phase, _, _ := unstructured.NestedString(pod, "status", "phase")
	return hasCondition(pod, "Ready") || phase == "Succeeded"
}

// containerTrouble returns the reason why a container of a pod waits or has
// ended.
func containerTrouble(pod api.Object) trouble {
	for _, field := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod, "status", field)
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			for _, state := range []string{"waiting", "terminated"} {
				reason, _, _ := unstructured.NestedString(status, "state", state, "reason")
				message, _, _ := unstructured.NestedString(status, "state", state, "message")
				switch reason {
				case "", "ContainerCreating", "PodInitializing", "Completed":
					continue
				}
				t := trouble{text: strings.TrimSuffix(fmt.Sprintf("container %v: %s: %s", status["name"], reason, firstLine(message)), ": ")}
				_, restarted, _ := unstructured.NestedMap(status, "lastState", "terminated")
				if state == "terminated" || restarted { // else it has never run
					t.pod, t.container = pod, fmt.Sprint(status["name"])
				}
				return t
			}
		}
	}
	return trouble{}
}

// lastWarning returns the newest warning event about an object.
func (w Watcher) lastWarning(ctx context.Context, o api.Object) string {
	events, _, err := w.Client.List(ctx, kube.Core("Event", "events"), o.Namespace(),
		kube.Selector{Fields: "type=Warning,involvedObject.uid=" + kube.UID(o)})
	if err != nil || len(events) == 0 {
		return ""
	}
	newest := slices.MaxFunc(events, func(a, b api.Object) int { return strings.Compare(eventTime(a), eventTime(b)) })
	return fmt.Sprintf("%v: %s", newest["reason"], firstLine(fmt.Sprint(newest["message"])))
}

// eventTime returns when an event was last seen. The field depends on the API
// that its reporter used.
func eventTime(o api.Object) string {
	for _, field := range []string{"lastTimestamp", "eventTime", "firstTimestamp"} {
		if t, ok := o[field].(string); ok && t != "" {
			return t
		}
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
