// SPDX-License-Identifier: Apache-2.0

// Package clusteradvice says what the errors of package cluster mean at the
// command line: their exit codes, and the flag or the command that helps.
package clusteradvice

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
)

// For is a fail.Adviser.
func For(err error) fail.Advice {
	for _, of := range []func(error) fail.Advice{ofPlan, ofSaved, ofRun, ofRecord, ofServer} {
		if a := of(err); a != (fail.Advice{}) {
			return a
		}
	}
	return fail.Advice{}
}

func hint(code fail.Code, format string, args ...any) fail.Advice {
	return fail.Advice{Code: code, Hint: fmt.Sprintf(format, args...)}
}

// ofSaved advises on why a saved plan is refused.
func ofSaved(err error) fail.Advice {
	switch err.(type) { //nolint:errorlint // an adviser looks at one error
	case *saved.DifferentError:
		return hint(fail.Refused, "make and review a new plan with --save-plan")
	case *saved.ClusterError:
		return hint(fail.Refused, "name the cluster of the plan with --context")
	case *saved.SecretError:
		return hint(fail.Refused, "to write it all the same, to a file that only you can read: --plan-secrets")
	case *saved.FormatError:
		return hint(fail.Refused, "make the plan again with --save-plan")
	}
	return fail.Advice{}
}

// ofPlan advises on why a plan is refused.
func ofPlan(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *apply.OwnedError:
		if e.Owner == "" {
			return hint(fail.Refused, "to take over objects without an owner: --adopt=unmanaged")
		}
		return hint(fail.Refused, "to take over objects of another owner: --adopt=all")
	case *apply.DefinitionError:
		return hint(fail.Refused, "upgrade instance %s to this version of the module first, or apply the version that it has", e.Owner)
	case *apply.FieldsOwnedError:
		return hint(fail.Refused, "leave them out of the module or take them over with --force-conflicts")
	case *apply.ProtectedError:
		return fail.Advice{Code: fail.Refused}
	case *apply.ImmutableError:
		if !e.Protected {
			return hint(0, "recreate it with --replace %s, or every such object with --force", short(e.Object))
		}
	case *apply.UnknownKindError:
		return ofKind(e)
	case *apply.EmptyError:
		return hint(fail.Refused, "if it is meant to: --allow-empty; to remove the instance: kubectl timoni delete %s -n %s", e.Instance.Name, e.Instance.Namespace)
	case *apply.MissingNamespaceError:
		return hint(fail.Refused, "kubectl create namespace %s", e.Name)
	case *apply.HeldError:
		return hint(0, "%s is no longer rendered and may hold it; to delete it first: --replace %s", e.By, short(e.By))
	}
	return fail.Advice{}
}

func ofKind(e *apply.UnknownKindError) fail.Advice {
	switch {
	case e.Late != nil:
		return hint(0, "no earlier stage has installed this kind: add its CustomResourceDefinition to the module or install its operator")
	case e.Successor != "":
		return hint(0, "it serves %s: see its fields with 'kubectl explain %s --api-version=%s'", e.Successor, strings.ToLower(e.Object.Kind), e.Successor)
	case api.IsBuiltIn(e.Object.Group):
		return hint(0, "see what Kubernetes serves there with 'kubectl api-resources --api-group=%s'", e.Object.Group)
	}
	return hint(0, "install the CustomResourceDefinition first, or add it to the module")
}

// ofRun advises on how a run has ended.
func ofRun(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *apply.TimeoutError:
		return hint(0, "give it more time with --apply-timeout")
	case *apply.InTheWayError:
		names := make([]string, len(e.Objects))
		for i, o := range e.Objects {
			names[i] = short(o)
		}
		return hint(0, "%s is no longer rendered and may be in the way; to delete it first: --replace %s", strings.Join(names, ", "), names[0])
	case *kube.UnansweredError:
		return hint(0, "kubectl get apiservices")
	case *ready.NotReadyError:
		return fail.Advice{Code: fail.NotReady}
	case *ready.FailedError:
		if e.Object.Group == "batch" && e.Object.Kind == "Job" { // another apply of the same object changes nothing
			return hint(0, "run it again with --replace %s", short(e.Object))
		}
	}
	return fail.Advice{}
}

// ofRecord advises on the record and the lock of an instance.
func ofRecord(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *store.BundleError:
		if e.Wanted == "" {
			return hint(fail.Refused, "change it with 'kubectl timoni bundle apply'; to take it out of its bundle: --adopt=all")
		}
		return hint(fail.Refused, "to take it into the bundle %q: --adopt=all", e.Wanted)
	case *store.LockedError:
		return fail.Advice{Code: fail.Refused}
	case *store.ChangedError:
		return hint(0, "another run changed the instance meanwhile: run the command again")
	case *store.NewerFormatError:
		return hint(fail.Refused, "kubectl krew upgrade timoni")
	}
	return fail.Advice{}
}

// ofServer advises on what the API server answers, or that it does not.
func ofServer(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *kube.UnreachableError:
		return hint(0, "check the context with 'kubectl config get-contexts' and the server with 'kubectl cluster-info'")
	case *kube.CredentialsError:
		return hint(0, "check who you are with 'kubectl auth whoami'")
	case *kube.SelectorError:
		return hint(fail.Usage, "write it as KEY=VALUE, KEY!=VALUE, KEY or 'KEY in (A,B)', joined by commas")
	case *apierrors.StatusError:
		if apierrors.IsForbidden(e) {
			return ofForbidden(e)
		}
	}
	return fail.Advice{}
}

// ofForbidden returns the hint that fits: the server forbids because rights are missing,
// and also for quotas, terminating namespaces and admission. The reason is the
// same, and the texts are those of the API server.
func ofForbidden(err error) fail.Advice {
	text := err.Error()
	if cause, ok := apierrors.StatusCause(err, "NamespaceTerminating"); ok {
		var name string
		if _, scanErr := fmt.Sscanf(cause.Message, "namespace %s is being terminated", &name); scanErr == nil {
			return hint(0, "wait until it is gone with 'kubectl wait --for=delete namespace/%s'", name)
		}
		return fail.Advice{}
	}
	switch {
	case strings.Contains(text, "exceeded quota"):
		return hint(0, "see what uses up the quota with 'kubectl describe resourcequota --all-namespaces'")
	case strings.Contains(text, "admission webhook"):
		return hint(0, "see whose webhook it is with 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'")
	case strings.Contains(text, "ValidatingAdmissionPolicy"):
		return hint(0, "see the policies with 'kubectl get validatingadmissionpolicies'")
	case strings.Contains(text, "violates PodSecurity"):
		return hint(0, "see the level of the namespace with 'kubectl get namespaces --show-labels'")
	case strings.Contains(text, " cannot "): // User "u" cannot get resource "r" in API group "g"
		return hint(0, "check what you may do with 'kubectl auth can-i --list'")
	}
	return fail.Advice{}
}

func short(o event.Object) string { return o.Kind + "/" + o.Name }
