// SPDX-License-Identifier: Apache-2.0

// Package kubeflag holds kubectl's flags for the connection to a cluster, with
// the same kubeconfig resolution and discovery cache.
package kubeflag

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Flags are kubectl's connection flags: --kubeconfig, --context, -n, --as and
// so on.
type Flags struct {
	config *genericclioptions.ConfigFlags
}

// NewFlags returns flags with kubectl's defaults.
func NewFlags() *Flags {
	// The discovery client's own limiter would slow down a first run against a
	// server with many groups; the numbers are kubectl's.
	config := genericclioptions.NewConfigFlags(true).WithDiscoveryBurst(300).WithDiscoveryQPS(50)
	return &Flags{config: config}
}

// InContext returns the same flags with another context of the kubeconfig. It
// has nothing of what the command line says of a cluster or a user itself: see Chosen.
func (f *Flags) InContext(name string) *Flags {
	other, config := NewFlags(), f.config
	to := other.config
	to.CacheDir, to.KubeConfig, to.Context = config.CacheDir, config.KubeConfig, &name
	to.Impersonate, to.ImpersonateUID, to.ImpersonateGroup = config.Impersonate, config.ImpersonateUID, config.ImpersonateGroup
	to.Timeout, to.DisableCompression = config.Timeout, config.DisableCompression
	return other
}

// Chosen returns the flags by which the command line selects a cluster or a
// user itself.
func (f *Flags) Chosen() []string {
	var names []string
	for name, value := range map[string]*string{
		"--context": f.config.Context, "--cluster": f.config.ClusterName, "--user": f.config.AuthInfoName,
		"--server": f.config.APIServer, "--token": f.config.BearerToken,
	} {
		if value != nil && *value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// AddTo registers the flags.
func (f *Flags) AddTo(fs *pflag.FlagSet) {
	f.config.AddFlags(fs)
	f.completeIn(fs)
}

// Namespace returns the namespace of the command as kubectl resolves it: -n,
// else that of the context in use, else "default".
func (f *Flags) Namespace() (string, error) {
	ns, _, err := f.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	return ns, nil
}

// RequestTimeout returns what --request-timeout says, 0 when it gives no limit.
func (f *Flags) RequestTimeout() (time.Duration, error) {
	timeout, err := clientcmd.ParseTimeout(*f.config.Timeout)
	if err != nil {
		return 0, fail.Usagef("--request-timeout=%s: %w", *f.config.Timeout, err)
	}
	return timeout, nil
}

// Connect returns a client for the cluster that the flags select. It sends no
// request. Warnings of the server are reported to the observer, each once.
func (f *Flags) Connect(userAgent string, observer event.Observer) (*kube.Client, error) {
	config, err := f.config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	o := kube.Options{UserAgent: userAgent, Observer: observer}
	if o.Mapper, err = f.config.ToRESTMapper(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	if o.Discovery, err = f.config.ToDiscoveryClient(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	return kube.New(config, o)
}
