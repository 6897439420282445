// SPDX-License-Identifier: Apache-2.0

package kubeflag

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/complete"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// completeIn has the flags completed that say which cluster is meant.
func (f *Flags) completeIn(fs *pflag.FlagSet) {
	complete.Flag(fs, "namespace", f.namespaces)
	complete.Flag(fs, "context", f.configured(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) }))
	complete.Flag(fs, "cluster", f.configured(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) }))
	complete.Flag(fs, "user", f.configured(func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) }))
}

// configured completes with names of the kubeconfig.
func (f *Flags) configured(names func(clientcmdapi.Config) []string) complete.Func {
	return func(context.Context, []string, string) []string {
		config, err := f.config.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil
		}
		return names(config)
	}
}

// client returns a client for completion, which says nothing, and the namespace
// of the command line.
func (f *Flags) client() (client *kube.Client, namespace string, err error) {
	if namespace, err = f.Namespace(); err != nil {
		return nil, "", err
	}
	client, err = f.Connect("kubectl-timoni-completion", event.Discard())
	return client, namespace, err
}

func (f *Flags) namespaces(ctx context.Context, _ []string, _ string) []string {
	client, _, err := f.client()
	if err != nil {
		return nil
	}
	objects, _, err := client.List(ctx, kube.Core("Namespace", "namespaces"), "", kube.Selector{})
	if err != nil {
		return nil
	}
	var names []string
	for _, o := range objects {
		names = append(names, o.Name())
	}
	return names
}

// instances returns the instances in the namespace. A record that cannot be read
// hides no other.
func (f *Flags) instances(ctx context.Context) []instance.Summary {
	client, namespace, err := f.client()
	if err != nil {
		return nil
	}
	list, _ := instance.List(ctx, client, instance.ListRequest{Namespace: namespace})
	return list
}

// Instances completes the names of the instances in the namespace.
func (f *Flags) Instances(ctx context.Context, _ []string, _ string) []string {
	var lines []string
	for _, i := range f.instances(ctx) {
		lines = append(lines, fmt.Sprintf("%s\t%s %s", i.Name, i.Module.Version, i.State))
	}
	return lines
}

// Bundles completes the names of the bundles that own instances.
func (f *Flags) Bundles(ctx context.Context, _ []string, _ string) []string {
	client, _, err := f.client()
	if err != nil {
		return nil
	}
	list, _ := instance.List(ctx, client, instance.ListRequest{})
	var names []string
	for _, i := range list {
		if i.Bundle != "" {
			names = append(names, i.Bundle)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Objects completes KIND/NAME of the objects of the instance that the first
// operand names.
func (f *Flags) Objects(ctx context.Context, args []string, _ string) []string {
	client, key, ok := f.named(args)
	if !ok {
		return nil
	}
	found, err := instance.Inspect(ctx, client, key)
	if err != nil {
		return nil
	}
	var targets []string
	for _, o := range found.Resources {
		targets = append(targets, o.Kind+"/"+o.Name)
	}
	slices.Sort(targets)
	return slices.Compact(targets)
}

// Revisions completes the revisions of the instance that the first operand
// names, the newest first.
func (f *Flags) Revisions(ctx context.Context, args []string, _ string) []string {
	client, key, ok := f.named(args)
	if !ok {
		return nil
	}
	revisions, err := instance.History(ctx, client, key)
	if err != nil {
		return nil
	}
	var lines []string
	for _, r := range slices.Backward(revisions) {
		lines = append(lines, fmt.Sprintf("%s\t%s %s %s", strconv.Itoa(r.Number), r.Module.Version, r.Outcome, r.Time))
	}
	return lines
}

// named returns the instance that the first operand names.
func (f *Flags) named(args []string) (*kube.Client, instance.Key, bool) {
	if len(args) == 0 {
		return nil, instance.Key{}, false
	}
	client, namespace, err := f.client()
	key := instance.Key{Namespace: namespace, Name: instance.ParseName(args[0])}
	return client, key, err == nil && api.CheckName(key.Name) == nil
}
