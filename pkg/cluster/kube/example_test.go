// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"log"

	"k8s.io/client-go/rest"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
)

// A controller has the configuration of its own cluster.
func ExampleNew() {
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client, err := kube.New(config, kube.Options{UserAgent: "my-controller/1.0"})
	if err != nil {
		log.Fatal(err)
	}
	_ = client // for apply.New and ready.Watcher
}
