// SPDX-License-Identifier: Apache-2.0

// Package vendor writes schemas into a module's cue.mod/gen, where its imports
// find them.
package vendor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/crd"
)

// Origin says where CustomResourceDefinitions are read from.
type Origin struct {
	crd.Files

	// Cluster reads those of the cluster through kubectl, which has the
	// credentials and knows how to use them.
	Cluster    bool
	Kubeconfig string
	Context    string
	Environ    []string // of kubectl
}

// definitions reads what the origin names. That it is nothing is an error.
func (o Origin) definitions(ctx context.Context) ([]crd.Definition, error) {
	all, err := crd.Read(ctx, o.Files)
	if err != nil {
		return nil, err
	}
	if o.Cluster {
		data, err := o.fromCluster(ctx)
		if err != nil {
			return nil, err
		}
		found, err := crd.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("kubectl get customresourcedefinitions: %w", err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no CustomResourceDefinition", cmp.Or(strings.Join(o.Names, ", "), "the cluster"))
	}
	return all, nil
}

func (o Origin) fromCluster(ctx context.Context) ([]byte, error) {
	args := []string{"get", "customresourcedefinitions.apiextensions.k8s.io", "--output=json"}
	if o.Kubeconfig != "" {
		args = append(args, "--kubeconfig="+o.Kubeconfig)
	}
	if o.Context != "" {
		args = append(args, "--context="+o.Context)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Env, cmd.Stderr = o.Environ, &stderr
	data, err := cmd.Output()
	if err != nil {
		if message := strings.TrimSpace(stderr.String()); message != "" {
			err = errors.New(strings.TrimPrefix(message, "error: "))
		}
		return nil, fmt.Errorf("kubectl get customresourcedefinitions: %w", err)
	}
	return data, nil
}
