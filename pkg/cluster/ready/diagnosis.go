// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// diagnosis is what explains why an object is not ready, apart from its conditions.
type diagnosis struct {
	text string // empty when nothing is known

	pod       api.Object // the one that the text is about, nil when it is about none
	container string     // the one of the pod whose log may tell more
}

// Diagnose returns, for an object that is not ready, what one of its pods says, or
// the newest warning about a pod or the object itself; empty when nothing is
// known.
func (w Watcher) Diagnose(ctx context.Context, live api.Object) string {
	return diagnose(ctx, asked{w.Client}, live).text
}

// diagnose returns what the clues tell of an object that is not ready.
func diagnose(ctx context.Context, from clues, live api.Object) diagnosis {
	if live == nil {
		return diagnosis{}
	}
	for _, pod := range podsOf(ctx, from, live) {
		if isReady(pod) || pod.IsTerminating() {
			continue
		}
		t := diagnosePod(pod)
		if t.text == "" {
			t.text = eventText(from.event(ctx, pod))
		}
		if t.text != "" {
			t.text = "Pod/" + pod.Name() + ": " + t.text
			return t
		}
	}
	return diagnosis{text: eventText(from.event(ctx, live))}
}

// What is shown of the log of a container.
const (
	logLines = 10
	logBytes = 2 << 10
)

// logTail returns the end of the log of the container that is to blame, each
// line indented, or a note that it cannot be read; empty when no container is.
func (w Watcher) logTail(ctx context.Context, t diagnosis) string {
	if t.container == "" {
		return ""
	}
	text, err := w.Client.Log(ctx, t.pod.Namespace(), t.pod.Name(), kube.LogOptions{
		Container: t.container, Lines: new(logLines), Bytes: logBytes,
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
func podsOf(ctx context.Context, from clues, live api.Object) []api.Object {
	if live.Is("", "Pod") {
		return []api.Object{live}
	}
	set := podLabels(live)
	if len(set) == 0 {
		return nil
	}
	return from.pods(ctx, live.Namespace(), labels.Set(set).String())
}

func isReady(pod api.Object) bool {
	phase, _, _ := unstructured.NestedString(pod, "status", "phase")
	return hasCondition(pod, "Ready") || phase == "Succeeded"
}

// diagnoseContainer returns the reason why a container of a pod waits or has
// ended.
func diagnoseContainer(pod api.Object) diagnosis {
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
				t := diagnosis{text: strings.TrimSuffix(fmt.Sprintf("container %v: %s: %s", status["name"], reason, firstLine(message)), ": ")}
				_, restarted, _ := unstructured.NestedMap(status, "lastState", "terminated")
				if state == "terminated" || restarted { // else it has never run
					t.pod, t.container = pod, fmt.Sprint(status["name"])
				}
				return t
			}
		}
	}
	return diagnosis{}
}

// diagnosePod returns what a pod says in its status: of a container, or why it
// is not scheduled.
func diagnosePod(pod api.Object) diagnosis {
	if t := diagnoseContainer(pod); t.text != "" {
		return t
	}
	scheduled := condition(pod, "PodScheduled")
	if scheduled["status"] != "False" {
		return diagnosis{}
	}
	return diagnosis{text: fmt.Sprintf("%v: %s", scheduled["reason"], firstLine(fmt.Sprint(scheduled["message"])))}
}

// PodReason returns what a pod that is not ready says of itself, empty when it
// says nothing, and the container whose log may tell more, empty for none.
func PodReason(pod api.Object) (reason, container string) {
	if isReady(pod) || pod.IsTerminating() {
		return "", ""
	}
	d := diagnosePod(pod)
	return d.text, d.container
}

// eventText returns what an event says.
func eventText(event api.Object) string {
	if event == nil {
		return ""
	}
	return fmt.Sprintf("%v: %s", event["reason"], firstLine(fmt.Sprint(event["message"])))
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
