// SPDX-License-Identifier: Apache-2.0

package buildcmd

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/delta"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
)

// printing are the flags that say how the objects are printed.
type printing struct {
	output      string
	dir         string
	overwrite   bool
	maskSecrets bool
	showOrigin  bool
	emit        emit
}

func (p *printing) addTo(fs *pflag.FlagSet) {
	choice.Flag[string]{Name: "output", Short: "o", Usage: "output format", Default: "yaml", Choices: choice.Of("yaml", "json", "name")}.AddTo(fs, &p.output)
	fs.StringVar(&p.dir, "output-dir", "", "write each object to a file of its own in `DIR` instead of printing it")
	fs.BoolVar(&p.overwrite, "overwrite", false, "let --output-dir replace files that were not written for the instance")
	fs.BoolVar(&p.maskSecrets, "mask-secrets", false, "show *** for the values in the data of Secrets")
	fs.BoolVar(&p.showOrigin, "show-origin", false, "precede each object with a comment that says where in the module it comes from")
	p.emit.addTo(fs)
}

func (p *printing) check() error {
	if p.output != "yaml" && p.showOrigin {
		return fail.Usagef("--show-origin writes comments, which -o %s has none of", p.output)
	}
	if p.output != "yaml" && p.dir != "" {
		return fail.Usagef("--output-dir writes YAML: leave out -o %s", p.output)
	}
	if p.overwrite && p.dir == "" {
		return fail.Usagef("--overwrite is about the files of --output-dir, which is not given")
	}
	return p.emit.check(p)
}

// print writes the result to standard output or to the directory.
func (o *options) print(name string, result *build.Result) error {
	switch o.printing.emit.target {
	case emitFlux:
		return o.writeFlux(name, result)
	case emitHealth:
		return o.write([]api.Object{result.ArgoCDHealth(ui.NewText(o.env.Stderr))}, nil)
	}
	objects := result.Objects()
	var comments []string
	for i := range objects {
		if o.printing.showOrigin {
			comments = append(comments, result.Origin(i, "").String())
		}
		if o.printing.maskSecrets {
			objects[i] = delta.Hidden(objects[i])
		}
	}
	if o.printing.dir != "" {
		written, err := build.WriteDirectory(build.DirectoryRequest{
			Dir: o.printing.dir, Name: name, Namespace: o.namespace, Objects: objects, Comments: comments,
			Complete: o.stage == "", Overwrite: o.printing.overwrite,
		})
		if err != nil {
			return err
		}
		return ui.Value(o.env.Stdout, "", written)
	}
	return o.write(objects, comments)
}

func (o *options) write(objects []api.Object, comments []string) error {
	switch o.printing.output {
	case "json":
		out, err := api.JSON(objects)
		if err == nil {
			_, err = o.env.Stdout.Write(out)
		}
		return err
	case "name":
		return ui.Names(o.env.Stdout, names(objects))
	}
	_, err := o.env.Stdout.Write(api.CommentedYAML(objects, comments))
	return err
}

func names(objects []api.Object) []event.Object {
	list := make([]event.Object, len(objects))
	for i, o := range objects {
		list[i] = o.Ref()
	}
	return list
}
