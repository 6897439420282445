// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/vendor"
)

const vendorCRDLong = `Write CUE definitions of custom resources into a module.

For each kind and each version that is served, the definition #KIND goes to
cue.mod/gen/GROUP/KIND/VERSION of the module in DIR, by default the current
directory, so that templates can import "GROUP/KIND/VERSION". It has apiVersion
and kind set and no status. The file crd.json next to it has the schema of the
CustomResourceDefinition, by which build, apply and mod vet check objects of the
kind; mod vet evaluates its rules in CEL as well.

A definition knows the fields that have a default as optional ones, and leaves
it to the API server to fill them in, unless --defaults is given.`

// newVendor returns the command vendor.
func newVendor(env cli.Env) *cobra.Command {
	return cli.Group("vendor", "Write schemas that templates import into a module", newVendorCRD(env), newVendorK8s(env))
}

func newVendorCRD(env cli.Env) *cobra.Command {
	o := &vendoring{env: env}
	cmd := &cobra.Command{
		Use: "crd [DIR] (-f FILE | --from-cluster)", Short: "Write CUE definitions of custom resources", Long: vendorCRDLong,
		Example: cli.Example(env,
			"vendor crd -f crds.yaml",
			"vendor crd ./module -f https://example.com/crds.yaml --kind ServiceMonitor --kind PodMonitor",
			"vendor crd -f ./crds --list",
			"vendor crd --from-cluster --kind Certificate --version v1"),
		Args: cli.ArgsBetween(0, 1, "at most a DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Dir = cli.Operand(args, ".")
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVarP(&o.req.Origin.Names, "filename", "f", nil,
		"`FILE` with CustomResourceDefinitions in YAML or JSON, directory, https URL, or - for stdin; may be repeated")
	o.cluster.addTo(fs, "read the CustomResourceDefinitions of the cluster, through kubectl")
	fs.StringSliceVar(&o.req.Kinds, "kind", nil, "only this `KIND` or KIND.GROUP; may be repeated, or be a list with commas")
	fs.StringArrayVarP(&o.req.Versions, "version", "v", nil, "only this `VERSION` of the kinds, served or not; may be repeated")
	fs.BoolVar(&o.req.Defaults, "defaults", false, "set the fields that have a default: objects then hold what the API server would fill in")
	fs.BoolVar(&o.req.Prune, "prune", false, "delete what was written of versions of the kinds that are no longer served")
	fs.BoolVar(&o.list, "list", false, "print the kinds and write nothing")
	fs.BoolVar(&o.private, "allow-private-address", false, "allow a URL to lead to this machine or into a private network")
	return cmd
}

type vendoring struct {
	env           cli.Env
	req           vendor.CRDRequest
	cluster       clusterFlags
	list, private bool
}

// clusterFlags select a cluster to read from.
type clusterFlags struct {
	given               bool
	kubeconfig, context string
}

func (c *clusterFlags) addTo(fs *pflag.FlagSet, usage string) {
	fs.BoolVar(&c.given, "from-cluster", false, usage)
	fs.StringVar(&c.kubeconfig, "kubeconfig", "", "`FILE` that kubectl takes the cluster from")
	fs.StringVar(&c.context, "context", "", "`NAME` of the kubeconfig context that kubectl uses")
}

func (c *clusterFlags) cluster(env cli.Env) (vendor.Cluster, error) {
	if !c.given && (c.kubeconfig != "" || c.context != "") {
		return vendor.Cluster{}, fail.Usagef("--kubeconfig and --context select the cluster of --from-cluster, which is not given")
	}
	return vendor.Cluster{Kubeconfig: c.kubeconfig, Context: c.context, Environ: env.Environ()}, nil
}

func (o *vendoring) validate() error {
	origin := &o.req.Origin
	if len(origin.Names) == 0 && !o.cluster.given {
		return fail.Hint(fail.Usagef("nothing says where the CustomResourceDefinitions are"), "give -f FILE, or --from-cluster")
	}
	var err error
	if origin.Cluster, err = o.cluster.cluster(o.env); err != nil {
		return err
	}
	origin.FromCluster = o.cluster.given
	origin.Stdin = o.env.Stdin
	origin.Download = download.Options{AllowPrivate: o.private, UserAgent: cli.UserAgent("mod")}
	return nil
}

func (o *vendoring) run(ctx context.Context) error {
	if o.list {
		return o.printKinds(ctx)
	}
	files, err := vendor.CRD(ctx, o.req)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err = ui.Println(o.env.Stdout, file.Path, file.Status); err != nil {
			return err
		}
	}
	return nil
}

func (o *vendoring) printKinds(ctx context.Context) error {
	kinds, err := vendor.Kinds(ctx, o.req)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(o.env.Stdout, 0, 0, 3, ' ', 0)
	_, _ = ui.Println(w, "GROUP\tKIND\tVERSION\tNAMESPACED")
	for _, k := range kinds {
		_, _ = ui.Printf(w, "%s\t%s\t%s\t%t\n", k.Group, k.Kind, k.Version, k.Namespaced)
	}
	return w.Flush()
}
