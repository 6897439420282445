// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// errNotFound means that the API server answered 404.
var errNotFound = errors.New("not found")

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// Namespace creates a namespace named after the test and returns its name.
func (cp *ControlPlane) Namespace(t testing.TB) string {
	t.Helper()
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
	if err := cp.CreateNamespace(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.ReleaseNamespace(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// CreateNamespace creates a namespace. One of that name, left by an earlier
// run on a shared control plane, is deleted first.
func (cp *ControlPlane) CreateNamespace(ctx context.Context, name string) error {
	c, err := cp.client()
	if err != nil {
		return err
	}
	if cp.Shared {
		if err = c.deleteNamespace(ctx, name); err != nil {
			return fmt.Errorf("create namespace %s: %w", name, err)
		}
	}
	_, err = c.do(ctx, http.MethodPost, "/api/v1/namespaces", object{
		"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name},
	})
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

// ReleaseNamespace deletes a namespace that is no longer needed, without
// waiting, when others are to find the control plane clean.
func (cp *ControlPlane) ReleaseNamespace(ctx context.Context, name string) error {
	if !cp.Shared {
		return nil
	}
	c, err := cp.client()
	if err != nil {
		return err
	}
	_, err = c.do(ctx, http.MethodDelete, "/api/v1/namespaces/"+name, nil)
	if err != nil && !errors.Is(err, errNotFound) {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}

// User returns a kubeconfig, with default as its current namespace, of a user
// who may do everything. The user's name is in the audit log. On an existing
// cluster it is the user of the cluster's kubeconfig.
func (cp *ControlPlane) User(name string) ([]byte, error) {
	if cp.AuditLog == "" {
		return cp.existing()
	}
	config, err := cp.REST()
	if err != nil {
		return nil, err
	}
	ca, err := loadAuthority(cp.Dir)
	if err != nil {
		return nil, err
	}
	return ca.kubeconfig(config.Host, name, "default", "system:masters")
}

// existing returns the existing cluster's kubeconfig with only the current
// context, in the namespace default.
func (cp *ControlPlane) existing() ([]byte, error) {
	config, err := clientcmd.LoadFromFile(cp.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cp.Kubeconfig, err)
	}
	current, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return nil, fmt.Errorf("read %s: no current context", cp.Kubeconfig)
	}
	current.Namespace = "default"
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return nil, fmt.Errorf("read %s: %w", cp.Kubeconfig, err)
	}
	return clientcmd.Write(*config)
}

// NamespaceAdmin returns a kubeconfig, and the name in the audit log, of a
// service account that may do what the cluster role admin allows in one
// namespace and nothing elsewhere.
func (cp *ControlPlane) NamespaceAdmin(ctx context.Context, namespace string) (kubeconfig []byte, user string, err error) {
	c, err := cp.client()
	if err != nil {
		return nil, "", err
	}
	token, err := c.serviceAccount(ctx, namespace, "admin")
	if err != nil {
		return nil, "", fmt.Errorf("make an administrator of namespace %s: %w", namespace, err)
	}
	config, err := clientcmd.LoadFromFile(cp.Kubeconfig)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", cp.Kubeconfig, err)
	}
	user = "system:serviceaccount:" + namespace + ":admin"
	current := config.Contexts[config.CurrentContext]
	current.Namespace = "default"
	clear(config.AuthInfos)
	config.AuthInfos[current.AuthInfo] = &clientcmdapi.AuthInfo{Token: token}
	kubeconfig, err = clientcmd.Write(*config)
	return kubeconfig, user, err
}

// REST returns the client configuration of the kit's own administrator,
// without a limit on the rate of requests.
func (cp *ControlPlane) REST() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", cp.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cp.Kubeconfig, err)
	}
	config.QPS = -1
	return config, nil
}

type object = map[string]any

// client is the little that the kit needs of an API client.
type client struct {
	http *http.Client
	host string
}

func (cp *ControlPlane) client() (*client, error) {
	config, err := cp.REST()
	if err != nil {
		return nil, err
	}
	h, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cp.Kubeconfig, err)
	}
	return &client{http: h, host: strings.TrimSuffix(config.Host, "/")}, nil
}

func (c *client) do(ctx context.Context, method, path string, body any) ([]byte, error) {
	var in bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.host+path, &in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s %s: %w", method, path, errNotFound)
	case res.StatusCode >= http.StatusBadRequest:
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, out)
	}
	return out, nil
}

// poll calls check until it reports true or fails, or a minute has passed.
func poll(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := check(ctx)
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		}
	}
}

func (c *client) deleteNamespace(ctx context.Context, name string) error {
	path := "/api/v1/namespaces/" + name
	// While it is being deleted a further deletion is refused, and its end
	// counts all the same.
	_, _ = c.do(ctx, http.MethodDelete, path, nil)
	return poll(ctx, "it is deleted", func(ctx context.Context) (bool, error) {
		_, err := c.do(ctx, http.MethodGet, path, nil)
		if errors.Is(err, errNotFound) {
			return true, nil
		}
		return false, err
	})
}

// serviceAccount makes a service account that may do in its namespace what the
// cluster role admin allows, and returns a token for it.
func (c *client) serviceAccount(ctx context.Context, namespace, name string) (string, error) {
	_, err := c.do(ctx, http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts", object{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": object{"name": name},
	})
	if err != nil {
		return "", err
	}
	_, err = c.do(ctx, http.MethodPost, "/apis/rbac.authorization.k8s.io/v1/namespaces/"+namespace+"/rolebindings", object{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": object{"name": name},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
		"subjects": []object{{"kind": "ServiceAccount", "name": name, "namespace": namespace}},
	})
	if err != nil {
		return "", err
	}
	out, err := c.do(ctx, http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+name+"/token", object{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": object{"expirationSeconds": 7200},
	})
	if err != nil {
		return "", err
	}
	var token struct{ Status struct{ Token string } }
	if err := json.Unmarshal(out, &token); err != nil {
		return "", err
	}
	return token.Status.Token, c.allowed(ctx, namespace, name)
}

// allowed waits until the authorizer has seen the service account's binding.
func (c *client) allowed(ctx context.Context, namespace, name string) error {
	review := object{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": object{
			"user":               "system:serviceaccount:" + namespace + ":" + name,
			"resourceAttributes": object{"namespace": namespace, "verb": "create", "resource": "secrets"},
		},
	}
	return poll(ctx, "its binding is in force", func(ctx context.Context) (bool, error) {
		out, err := c.do(ctx, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
		if err != nil {
			return false, err
		}
		var answer struct{ Status struct{ Allowed bool } }
		err = json.Unmarshal(out, &answer)
		return answer.Status.Allowed, err
	})
}

// node makes the fake node, if it does not exist, and fails until it is ready.
func (c *client) node(ctx context.Context) error {
	const name = "kit"
	out, err := c.do(ctx, http.MethodGet, "/api/v1/nodes/"+name, nil)
	if errors.Is(err, errNotFound) {
		out, err = c.do(ctx, http.MethodPost, "/api/v1/nodes", object{
			"apiVersion": "v1", "kind": "Node",
			"metadata": object{"name": name, "labels": object{
				// Pods with an affinity to an operating system need it.
				"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
			}},
		})
	}
	if err != nil {
		return err
	}
	var node struct {
		Spec   struct{ Taints []struct{ Key string } }
		Status struct{ Phase string }
	}
	if err := json.Unmarshal(out, &node); err != nil {
		return err
	}
	if node.Status.Phase != "Running" || len(node.Spec.Taints) > 0 {
		return fmt.Errorf("node %s: phase %q, taints %v", name, node.Status.Phase, node.Spec.Taints)
	}
	return nil
}
