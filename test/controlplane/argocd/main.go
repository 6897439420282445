// SPDX-License-Identifier: Apache-2.0

// Command argocd is the parts of Argo CD that read and apply a directory: its
// config management plugin server, what its repo server does with a directory,
// and the steps by which its application controller applies objects.
//
//	argocd cmp-server --config-dir-path DIR
//	argocd generate REPOSITORY <application.yaml    prints objects
//	argocd sync NAMESPACE APPLICATION <objects      prints on stderr what it waits for
//	argocd health <request                          prints a verdict for each object
//
// Plugins are found as the servers find them, in $ARGOCD_PLUGINSOCKFILEPATH;
// the cluster is that of $KUBECONFIG.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	"github.com/argoproj/argo-cd/v3/util/git"
	utilio "github.com/argoproj/argo-cd/v3/util/io"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/sync"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "cmp-server" {
		c := commands.NewCommand()
		c.SetArgs(args[1:])
		return c.ExecuteContext(ctx)
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 2 && args[0] == "generate":
		return generate(ctx, args[1], input)
	case len(args) == 3 && args[0] == "sync":
		return apply(ctx, args[1], args[2], input)
	case len(args) == 1 && args[0] == "health":
		return judge(input)
	}
	return errors.New("usage: argocd cmp-server | generate REPOSITORY | sync NAMESPACE APPLICATION | health")
}

// generate does with the directory of an Application, in a checkout of its
// repository, what the repo server does.
func generate(ctx context.Context, repo string, input []byte) error {
	var app v1alpha1.Application
	if err := yaml.UnmarshalStrict(input, &app); err != nil {
		return err
	}
	source := app.Spec.GetSource()
	request := &apiclient.ManifestRequest{
		Repo: &v1alpha1.Repository{Repo: source.RepoURL}, ApplicationSource: &source,
		AppName: app.Name, Namespace: app.Spec.Destination.Namespace, ProjectName: app.Spec.Project,
		KubeVersion: "1.36.0", AppLabelKey: common.LabelKeyAppInstance, TrackingMethod: string(v1alpha1.TrackingMethodAnnotation),
	}
	response, err := repository.GenerateManifests(ctx, filepath.Join(repo, source.Path), repo, "0123456789012345678901234567890123456789",
		request, false, git.NoopCredsStore{}, resource.MustParse("0"), utilio.NewRandomizedTempPaths(os.TempDir()))
	if err != nil {
		return err
	}
	for _, manifest := range response.Manifests {
		fmt.Printf("---\n%s\n", manifest)
	}
	return nil
}

// apply makes the objects those of the cluster that Argo CD tracks for an
// Application, as a sync with pruning does.
func apply(ctx context.Context, namespace, app string, input []byte) error {
	objects, err := kube.SplitYAML(input)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	overrides, err := settings.NewSettingsManager(ctx, client, "argocd").GetResourceOverrides()
	if err != nil {
		return err
	}
	tracked := func(un *unstructured.Unstructured, _ bool) (any, bool) {
		id := un.GetAnnotations()[common.AnnotationKeyAppInstance]
		return id, id != ""
	}
	c := cache.NewClusterCache(config, cache.SetLogr(logr.Discard()), cache.SetPopulateResourceInfoHandler(tracked))
	if err = c.EnsureSynced(); err != nil {
		return err
	}
	// The controller does one step whenever something in the cluster changes.
	phase, message, results, start := synccommon.OperationRunning, "", []synccommon.ResourceSyncResult(nil), metav1.Now()
	for !phase.Completed() {
		live, err := c.GetManagedLiveObjs(objects, func(r *cache.Resource) bool { return strings.HasPrefix(r.Info.(string), app+":") })
		if err != nil {
			return err
		}
		step, cleanup, err := sync.NewSyncContext("main", sync.Reconcile(objects, live, namespace, c), config, config,
			&kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}, namespace, c.GetOpenAPISchema(),
			sync.WithLogr(logr.Discard()), sync.WithPrune(true), sync.WithHealthOverride(lua.ResourceHealthOverrides(overrides)),
			sync.WithInitialState(phase, message, results, start))
		if err != nil {
			return err
		}
		step.Sync()
		before := message
		phase, message, results = step.GetState()
		cleanup()
		if message != before {
			fmt.Fprintln(os.Stderr, message)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if !phase.Successful() {
		return fmt.Errorf("%s: %s", phase, message)
	}
	return nil
}

// judge says how healthy objects are by a script.
func judge(input []byte) error {
	var request struct {
		Lua     string           `json:"lua"`
		Objects []map[string]any `json:"objects"`
	}
	if err := json.Unmarshal(input, &request); err != nil {
		return err
	}
	for _, o := range request.Objects {
		health, err := lua.VM{}.ExecuteHealthLua(&unstructured.Unstructured{Object: o}, request.Lua)
		if err != nil {
			return err
		}
		fmt.Println(health.Status)
	}
	return nil
}
