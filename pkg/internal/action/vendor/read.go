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

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// Origin says where CustomResourceDefinitions are read from.
type Origin struct {
	crd.Files

	FromCluster bool // those that the Cluster has
	Cluster     Cluster
}

// Cluster is a cluster that is read through kubectl, which has the credentials
// and knows how to use them.
type Cluster struct {
	Kubeconfig string // the file; kubectl's own choice when empty
	Context    string
	Environ    []string // of kubectl
}

// definitions reads what the origin names. That it is nothing is an error.
func (o Origin) definitions(ctx context.Context) ([]crd.Definition, error) {
	all, err := crd.Read(ctx, o.Files)
	if err != nil {
		return nil, err
	}
	if o.FromCluster {
		data, err := o.Cluster.kubectl(ctx, "get", "customresourcedefinitions.apiextensions.k8s.io", "--output=json")
		if err != nil {
			return nil, fmt.Errorf("kubectl get customresourcedefinitions: %w", err)
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

// kubectl returns what kubectl prints. The error is kubectl's.
func (c Cluster) kubectl(ctx context.Context, args ...string) ([]byte, error) {
	if c.Kubeconfig != "" {
		args = append(args, "--kubeconfig="+c.Kubeconfig)
	}
	if c.Context != "" {
		args = append(args, "--context="+c.Context)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Env, cmd.Stderr = c.Environ, &stderr
	data, err := cmd.Output()
	if err != nil {
		if message := strings.TrimSpace(stderr.String()); message != "" {
			err = errors.New(strings.TrimPrefix(message, "error: "))
		}
		return nil, err
	}
	return data, nil
}
