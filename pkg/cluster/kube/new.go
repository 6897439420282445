// SPDX-License-Identifier: Apache-2.0

// Package kube is one small client for a cluster that knows server-side apply,
// dry runs and watches. It sends what it is told to and keeps no objects.
package kube

import (
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Options say how a cluster is reached. The zero value works.
type Options struct {
	UserAgent string         // empty for that of the configuration
	Observer  event.Observer // is told the warnings of the server, each once; nil discards them

	// Mapper and Discovery know the kinds of the server. Nil for ones that ask
	// the server once and keep the answer in memory.
	Mapper    meta.RESTMapper
	Discovery discovery.CachedDiscoveryInterface
}

// New returns a client for the cluster of a configuration, which stays as it is.
// It sends no request.
func New(config *rest.Config, o Options) (*Client, error) {
	config = rest.CopyConfig(config)
	if o.UserAgent != "" {
		config.UserAgent = o.UserAgent
	}
	if o.Observer == nil {
		o.Observer = event.Discard()
	}
	// The server queues and limits by itself (priority and fairness); a limiter
	// of ours would only add delay and a misleading reason to a timeout.
	config.QPS = -1
	config.WarningHandlerWithContext = newWarnings(o.Observer)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return statusNotes{next} })
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	server, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	if o.Discovery == nil {
		o.Discovery = memory.NewMemCacheClient(server)
	}
	if o.Mapper == nil {
		o.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(o.Discovery)
	}
	return &Client{
		manager: api.FieldManager, host: config.Host, dynamic: dyn, mapper: o.Mapper,
		catalog: catalog{server: server}, kinds: o.Discovery, rest: server.RESTClient(),
	}, nil
}
