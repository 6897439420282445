// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
)

// The contexts of the kubeconfig after second-cluster.
const (
	firstContext  = "first"
	secondContext = "second"
)

// secondCluster starts another control plane, which ends with the script. The
// kubeconfig then has the contexts first and second.
func secondCluster(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "second-cluster")
	s := current(ts)
	if s.cp.AuditLog == "" {
		s.t.Skip(kit.ErrNoAudit)
	}
	supervisor, err := kit.Spawn(kit.Options{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(supervisor.Stop()) })
	s.second, err = kit.Attach(context.Background(), supervisor.URL)
	ts.Check(err)
	merged := clientcmdapi.NewConfig()
	for name, cp := range map[string]*kit.ControlPlane{firstContext: s.cp, secondContext: s.second} {
		data, err := cp.User(s.users[0])
		ts.Check(err)
		config, err := clientcmd.Load(data)
		ts.Check(err)
		in := config.Contexts[config.CurrentContext]
		merged.Clusters[name], merged.AuthInfos[name] = config.Clusters[in.Cluster], config.AuthInfos[in.AuthInfo]
		merged.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: "default"}
	}
	merged.CurrentContext = firstContext
	data, err := clientcmd.Write(*merged)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.Getenv("KUBECONFIG"), data, 0o600))
	ts.Check(s.second.CreateNamespace(context.Background(), s.namespace))
	s.secondMark, err = s.second.Mark()
	ts.Check(err)
}
