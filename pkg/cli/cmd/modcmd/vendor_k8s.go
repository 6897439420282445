// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/vendor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/schema/kubernetes"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

const vendorK8sLong = `Write the CUE schemas of Kubernetes into a module.

They go to cue.mod/gen/k8s.io of the module in DIR, by default the current
directory, so that templates can import "k8s.io/api/apps/v1" and the like: the
API groups that are generally available, apimachinery and apiextensions. Those
of Kubernetes ` + kubernetes.Version + ` are in the binary; nothing is downloaded.

--version takes those of another minor version from the registry in which they
are published, --from those of any artifact whose content type is cue.mod/gen.

--from-cluster makes them of the OpenAPI documents of the cluster: its version,
and its feature gates. Names for strings and constants, which OpenAPI does not
have, are those in the binary.

A package is replaced as a whole. Packages that are not among the new ones are
left alone.`

func newVendorK8s(env cli.Env) *cobra.Command {
	o := &vendoringK8s{env: env}
	cmd := &cobra.Command{
		Use: "k8s [DIR]", Short: "Write the CUE schemas of Kubernetes", Long: vendorK8sLong,
		Example: cli.Example(env,
			"vendor k8s",
			"vendor k8s ./module --version 1.34",
			"vendor k8s --from oci://registry.example.com/schemas/kubernetes --version 1.34",
			"vendor k8s --from-cluster --context production"),
		Args: cli.ArgsBetween(0, 1, "at most a DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Dir = cli.Operand(args, ".")
			if err := o.complete(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.from, "from", "", "`ARTIFACT` with the schemas, as oci://HOST/PATH[:VERSION][@DIGEST]; with --version "+vendor.KubernetesRepository+" by default")
	cmd.Flags().StringVarP(&o.version, "version", "v", "", "`VERSION` of Kubernetes, such as 1.34; by default that of the schemas in the binary, "+kubernetes.Version)
	o.cluster.addTo(cmd.Flags(), "make the schemas of what the cluster serves, through kubectl")
	o.registry.Process = env
	o.registry.AddTo(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("from-cluster", "from")
	cmd.MarkFlagsMutuallyExclusive("from-cluster", "version")
	return cmd
}

type vendoringK8s struct {
	env           cli.Env
	req           vendor.KubernetesRequest
	from, version string
	cluster       clusterFlags
	registry      option.Registry
}

func (o *vendoringK8s) complete() error {
	cluster, err := o.cluster.cluster(o.env)
	if err != nil {
		return err
	}
	if o.cluster.given {
		o.req.Cluster = &cluster
	}
	version := strings.TrimPrefix(o.version, "v")
	if version == ref.Latest {
		version = ""
	}
	if o.from == "" && (version == "" || version == kubernetes.Version) {
		return nil
	}
	typed := []string{o.from}
	if version != "" {
		repository := cmp.Or(o.from, vendor.KubernetesRepository)
		typed = []string{repository + ":v" + version, repository + ":" + version}
	}
	for _, t := range typed {
		var r ref.Reference
		if r, err = ref.Parse(t); err != nil {
			return err
		}
		if r.IsLocal() {
			return fail.Usagef("--from %s is not of the form oci://HOST/PATH", o.from)
		}
		o.req.From = append(o.req.From, r)
	}
	o.req.OCI, err = o.registry.Options(o.env.Stdin, cli.UserAgent("mod"))
	return err
}

func (o *vendoringK8s) run(ctx context.Context) error {
	files, err := vendor.Kubernetes(ctx, o.req)
	if err != nil {
		return err
	}
	counts := map[vendor.Status]int{}
	for _, file := range files {
		counts[file.Status]++
	}
	var parts []string
	for _, status := range []vendor.Status{vendor.Created, vendor.Configured, vendor.Unchanged, vendor.Deleted} {
		if counts[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[status], status))
		}
	}
	_, err = ui.Printf(o.env.Stdout, "%s: %s\n", filepath.Join(o.req.Dir, "cue.mod", "gen", "k8s.io"), strings.Join(parts, ", "))
	return err
}
