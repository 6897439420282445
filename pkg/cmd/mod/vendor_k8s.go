// SPDX-License-Identifier: Apache-2.0

package mod

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/action/vendor"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/schema/kubernetes"
)

const vendorK8sLong = `Write the CUE schemas of Kubernetes into a module.

They go to cue.mod/gen/k8s.io of the module in DIR, by default the current
directory, so that templates can import "k8s.io/api/apps/v1" and the like: the
API groups that are generally available, apimachinery and apiextensions. Those
of Kubernetes ` + kubernetes.Version + ` are in the binary; nothing is downloaded.

With --from they are those of an artifact in a registry, whose content type is
cue.mod/gen.

A package is replaced as a whole. Packages that are not among the new ones are
left alone.`

func newVendorK8s(env cli.Env) *cobra.Command {
	o := &vendoringK8s{env: env}
	cmd := &cobra.Command{
		Use: "k8s [DIR]", Short: "Write the CUE schemas of Kubernetes", Long: vendorK8sLong,
		Example: cli.Example(env,
			"vendor k8s",
			"vendor k8s ./module --from oci://registry.example.com/schemas/kubernetes --version 1.34"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Dir = "."
			if len(args) > 0 {
				o.req.Dir = args[0]
			}
			if err := o.complete(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.from, "from", "", "`ARTIFACT` with the schemas, as oci://HOST/PATH[:VERSION][@DIGEST]; by default those in the binary")
	cmd.Flags().StringVar(&o.version, "version", "", "`VERSION` of Kubernetes: the tag of the artifact, or the one in the binary ("+kubernetes.Version+")")
	o.registry.Process = env
	o.registry.AddTo(cmd.Flags())
	return cmd
}

type vendoringK8s struct {
	env           cli.Env
	req           vendor.KubernetesRequest
	from, version string
	registry      option.Registry
}

func (o *vendoringK8s) complete() error {
	if o.from == "" {
		if o.version == "" || o.version == kubernetes.Version {
			return nil
		}
		return fail.Hint(fail.Usagef("the schemas in the binary are those of Kubernetes %s", kubernetes.Version),
			"give --from oci://HOST/PATH --version %s for those of an artifact", o.version)
	}
	typed := o.from
	if o.version != "" {
		typed += ":" + o.version
	}
	r, err := ref.Parse(typed)
	if err != nil {
		return err
	}
	if r.IsLocal() {
		return fail.Usagef("--from %s is not of the form oci://HOST/PATH", o.from)
	}
	if err = o.registry.ReadCreds(o.env.Stdin); err != nil {
		return err
	}
	o.req.From, o.req.OCI = &r, o.registry.Options(cli.UserAgent("mod"))
	return nil
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
	_, err = fmt.Fprintf(o.env.Stdout, "%s: %s\n", filepath.Join(o.req.Dir, "cue.mod", "gen", "k8s.io"), strings.Join(parts, ", "))
	return err
}
