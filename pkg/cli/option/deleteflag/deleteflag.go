// SPDX-License-Identifier: Apache-2.0

// Package deleteflag holds the flags that say how instances are deleted. It is
// apart from package option, which links CUE.
package deleteflag

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Delete are the flags.
type Delete struct {
	request instance.DeleteRequest
	wait    bool
	dryRun  string
}

// AddTo registers the flags. what is deleted: an instance, a bundle.
func (d *Delete) AddTo(fs *pflag.FlagSet, what string) {
	r := &d.request
	fs.BoolVar(&d.wait, "wait", true, "wait until the objects are gone")
	fs.DurationVar(&r.Timeout, "timeout", kube.DefaultTimeout, "how long to wait for the objects of an instance to be gone, 0 for ever")
	choice.Flag[string]{
		Name: "dry-run", Usage: "`MODE`", Default: "none",
		Choices: []choice.Choice[string]{
			{Word: "none"}, {Word: "client", Note: "print what would be deleted"}, {Word: "server", Note: "and have the server check it"},
		},
	}.AddTo(fs, &d.dryRun)
	fs.BoolVar(&r.Also.CRDs, "delete-crds", false, "delete CustomResourceDefinitions too, and with them every object of their kinds")
	fs.BoolVar(&r.Also.Volumes, "delete-volumes", false, "delete PersistentVolumeClaims and PersistentVolumes too, with their data")
	fs.BoolVar(&r.Also.Namespaces, "delete-namespace", false, "delete the Namespaces of the module too, with all that is in them")
	fs.BoolVar(&r.IgnoreNotFound, "ignore-not-found", false, "succeed if the "+what+" does not exist")
}

// Request returns what the flags say. What names an instance is left empty.
func (d *Delete) Request(holder store.Holder) instance.DeleteRequest {
	r := d.request
	r.Holder, r.DryRun, r.Check = holder, d.dryRun != "none", d.dryRun == "server"
	r.NoWait, r.Timeout = !d.wait, kube.AtMost(r.Timeout)
	return r
}

// Label returns what a result says of a dry run, empty when it is none.
func (d *Delete) Label() string {
	switch d.dryRun {
	case "client":
		return "dry run"
	case "server":
		return "server dry run"
	}
	return ""
}
