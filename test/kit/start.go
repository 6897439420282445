// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

// kitUser is the administrator as whom the kit and the components act. The
// audit policy leaves its requests out.
const kitUser = "kit"

// auditPolicy logs metadata, so that no secret reaches the log; of a deletion
// also the body, which says whether it is a dry run.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [` + kitUser + `, "system:apiserver"]
- level: Request
  verbs: [delete, deletecollection]
- level: Metadata
`

const registryConfig = `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}, maintenance: {uploadpurging: {enabled: false}}}
http: {addr: %q}
`

// stack is what a supervisor started, in that order.
type stack struct {
	bin   controlplane.Paths
	dir   string
	bare  bool // no more than an API server
	log   io.Writer
	procs []*process
}

// start starts a whole control plane.
func (st *stack) start(ctx context.Context) (*ControlPlane, error) {
	ports, err := FreePorts(4)
	if err != nil {
		return nil, err
	}
	etcd, peer, api, registry := ports[0], ports[1], ports[2], ports[3]
	ca, err := newAuthority(st.dir)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{
		Dir:        st.dir,
		Kubeconfig: filepath.Join(st.dir, "kubeconfig"),
		Registry:   registry,
		Kubectl:    st.bin.Kubectl,
		Kustomize:  st.bin.Kustomize,
		AuditLog:   filepath.Join(st.dir, "audit.log"),
		Token:      rand.Text(),
	}
	if err := st.files(ca, cp, api); err != nil {
		return nil, err
	}
	if err := st.etcd(ctx, etcd, peer); err != nil {
		return nil, err
	}
	if err := st.apiServer(ctx, cp, etcd, api); err != nil {
		return nil, err
	}
	if !st.bare {
		if err := st.rest(ctx, cp); err != nil {
			return nil, err
		}
	}
	cp.Pids = st.pids()
	return cp, nil
}

// files writes what the components read.
func (st *stack) files(ca *authority, cp *ControlPlane, api string) error {
	cert, key, err := ca.server()
	if err != nil {
		return err
	}
	kubeconfig, err := ca.kubeconfig("https://"+api, kitUser, "", "system:masters")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"server.crt":      cert,
		"server.key":      key,
		"tokens.csv":      []byte(cp.Token + `,admin,admin,"system:masters"` + "\n"),
		"audit-policy":    []byte(auditPolicy),
		"registry-config": fmt.Appendf(nil, registryConfig, filepath.Join(st.dir, "registry"), cp.Registry),
		"kubeconfig":      kubeconfig,
	} {
		if err := os.WriteFile(filepath.Join(st.dir, name), data, 0o600); err != nil {
			return fmt.Errorf("write the control plane's files: %w", err)
		}
	}
	return nil
}

func (st *stack) etcd(ctx context.Context, client, peer string) error {
	p, err := st.run("etcd", st.bin.Etcd,
		"--name=kit",
		"--data-dir="+filepath.Join(st.dir, "etcd"),
		"--listen-client-urls=http://"+client,
		"--advertise-client-urls=http://"+client,
		"--listen-peer-urls=http://"+peer,
		"--initial-advertise-peer-urls=http://"+peer,
		"--initial-cluster=kit=http://"+peer,
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	return p.await(ctx, answers("http://"+client+"/health"))
}

func (st *stack) apiServer(ctx context.Context, cp *ControlPlane, etcd, addr string) error {
	file := func(name string) string { return filepath.Join(st.dir, name) }
	_, port, _ := net.SplitHostPort(addr)
	p, err := st.run("kube-apiserver", st.bin.APIServer,
		"--etcd-servers=http://"+etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port="+port,
		"--cert-dir="+file("certs"),
		"--tls-cert-file="+file("server.crt"),
		"--tls-private-key-file="+file("server.key"),
		"--client-ca-file="+file(caCert),
		"--token-auth-file="+file("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+file(caKey),
		"--service-account-signing-key-file="+file(caKey),
		"--service-cluster-ip-range=10.0.0.0/16",
		"--endpoint-reconciler-type=none",
		// A pod must not have to wait for its namespace's service account.
		"--disable-admission-plugins=ServiceAccount",
		"--audit-policy-file="+file("audit-policy"),
		"--audit-log-path="+cp.AuditLog,
		// Rotation would lose what tests count.
		"--audit-log-maxsize=100000",
	)
	if err != nil {
		return err
	}
	client, err := cp.client()
	if err != nil {
		return err
	}
	return p.await(ctx, func(ctx context.Context) error {
		_, err := client.do(ctx, http.MethodGet, "/readyz", nil)
		return err
	})
}

// rest starts what talks to the API server and waits for the fake node.
func (st *stack) rest(ctx context.Context, cp *ControlPlane) error {
	if _, err := st.run("kube-controller-manager", st.bin.ControllerManager,
		"--kubeconfig="+cp.Kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--root-ca-file="+filepath.Join(st.dir, caCert),
		"--service-account-private-key-file="+filepath.Join(st.dir, caKey),
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		// A machine that is busy with tests is late with the node's heartbeats.
		"--node-monitor-grace-period=1h",
	); err != nil {
		return err
	}
	if _, err := st.run("kube-scheduler", st.bin.Scheduler,
		"--kubeconfig="+cp.Kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	); err != nil {
		return err
	}
	if err := st.registry(ctx, cp.Registry); err != nil {
		return err
	}
	return st.nodes(ctx, cp)
}

// nodes starts what makes fake nodes and Pods ready, and serves the logs that
// objects of the kind ClusterLogs name, and waits for the fake node.
func (st *stack) nodes(ctx context.Context, cp *ControlPlane) error {
	client, err := cp.client()
	if err != nil {
		return err
	}
	if _, err = client.do(ctx, http.MethodPost, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", clusterLogs()); err != nil {
		return fmt.Errorf("create the definition of ClusterLogs: %w", err)
	}
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(ports[0])
	kwok, err := st.run("kwok", st.bin.Kwok,
		"--kubeconfig="+cp.Kubeconfig,
		"--config="+st.bin.Stages,
		"--manage-all-nodes=true",
		"--node-ip=127.0.0.1",
		"--node-port="+port,
		"--server-address="+ports[0],
		"--tls-cert-file="+filepath.Join(st.dir, "server.crt"),
		"--tls-private-key-file="+filepath.Join(st.dir, "server.key"),
		"--enable-crds=ClusterLogs",
	)
	if err != nil {
		return err
	}
	return kwok.await(ctx, client.node)
}

// clusterLogs returns the definition of the objects from which kwok knows the
// files that are the logs of containers.
func clusterLogs() object {
	return object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": object{"name": "clusterlogs.kwok.x-k8s.io"},
		"spec": object{
			"group": "kwok.x-k8s.io", "scope": "Cluster",
			"names": object{"kind": "ClusterLogs", "listKind": "ClusterLogsList", "plural": "clusterlogs", "singular": "clusterlogs"},
			"versions": []object{{
				"name": "v1alpha1", "served": true, "storage": true,
				"schema":       object{"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
				"subresources": object{"status": object{}},
			}},
		},
	}
}

func (st *stack) registry(ctx context.Context, addr string) error {
	p, err := st.run("registry", st.bin.Registry, "serve", filepath.Join(st.dir, "registry-config"))
	if err != nil {
		return err
	}
	return p.await(ctx, answers("http://"+addr+"/v2/"))
}

// external starts a registry next to an existing cluster.
func (st *stack) external(ctx context.Context, kubeconfig string) (*ControlPlane, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{
		Dir:        st.dir,
		Kubeconfig: kubeconfig,
		Registry:   ports[0],
		Kubectl:    st.bin.Kubectl,
		Kustomize:  st.bin.Kustomize,
	}
	config := fmt.Appendf(nil, registryConfig, filepath.Join(st.dir, "registry"), cp.Registry)
	if err = os.WriteFile(filepath.Join(st.dir, "registry-config"), config, 0o600); err != nil {
		return nil, fmt.Errorf("write the registry's configuration: %w", err)
	}
	if err = st.registry(ctx, cp.Registry); err != nil {
		return nil, err
	}
	cp.Pids = st.pids()
	return cp, nil
}

// run starts a program and reports on st.log when it ends by itself.
func (st *stack) run(name, path string, args ...string) (*process, error) {
	p, err := launch(st.dir, name, path, args...)
	if err != nil {
		return nil, err
	}
	st.procs = append(st.procs, p)
	return p, nil
}

// pids returns the process ids in the order in which down stops them.
func (st *stack) pids() []int {
	var pids []int
	for _, p := range slices.Backward(st.procs) {
		pids = append(pids, p.cmd.Process.Pid)
	}
	return pids
}

// down stops everything, last started first, so that etcd outlives its
// clients, and removes the directory. A program that ended by itself is an
// error: the tests ran without it.
func (st *stack) down() error {
	var errs []error
	for _, p := range slices.Backward(st.procs) {
		select {
		case <-p.done:
			errs = append(errs, fmt.Errorf("%s ended: %w\n%s", p.name, p.err, p.tail()))
		default:
			p.stop()
		}
	}
	if st.dir != "" {
		errs = append(errs, os.RemoveAll(st.dir))
	}
	return errors.Join(errs...)
}

// answers returns a check that url responds with 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, res.Status)
		}
		return nil
	}
}

// FreePorts returns n loopback addresses that are free. They are below the
// range from which systems take the ports of outgoing connections, so that
// none is taken before the program that gets it listens.
func FreePorts(n int) ([]string, error) {
	var addrs []string
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+mathrand.IntN(20000))
		if slices.Contains(addrs, addr) || !free(addr) {
			continue
		}
		if addrs = append(addrs, addr); len(addrs) == n {
			return addrs, nil
		}
	}
	return nil, fmt.Errorf("no free port between 10000 and 30000, got %s", strings.Join(addrs, ", "))
}

func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
