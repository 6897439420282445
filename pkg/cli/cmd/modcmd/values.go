// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
)

const valuesSchemaLong = `Write the JSON Schema of the values that a module takes, and print the comment
that names it: at the head of a file of values, it makes an editor with the YAML
language server complete and check the file.

MODULE is a directory or oci://HOST/PATH[:VERSION]. FILE is values.schema.json by
default. Write it again when the version of the module changes.`

// newValues returns the command values.
func newValues(env cli.Env) *cobra.Command {
	return cli.Group("values", "Write the schema of a module's values for editors", newValuesSchema(env))
}

func newValuesSchema(env cli.Env) *cobra.Command {
	o := &showing{env: env}
	deps := option.CUERegistry{Process: env}
	var pkg, file string
	cmd := o.command("schema MODULE [FILE]", "Write the JSON Schema of a module's values", func(ctx context.Context, m ref.Reference, options oci.Options) error {
		config, err := mod.ReadConfig(ctx, m, pkg, options, deps.Access(cli.UserAgent("mod")))
		if err != nil {
			return err
		}
		schema, err := config.JSONSchema()
		if err != nil {
			return err
		}
		err = link.WriteFile(filepath.Dir(file), filepath.Base(file), schema, 0o644)
		if err != nil {
			return fmt.Errorf("write the schema: %w", err)
		}
		_, err = ui.Println(env.Stdout, "# yaml-language-server: $schema="+filepath.ToSlash(file))
		return err
	})
	cmd.Long = valuesSchemaLong
	cmd.Example = cli.Example(env, "values schema ./module", "values schema oci://registry.example.com/modules/app:1.2.0 schemas/app.json")
	cmd.Args = cli.ArgsBetween(1, 2, "MODULE and at most a FILE")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file = cli.Operand(args[1:], "values.schema.json")
		return run(cmd, args)
	}
	cmd.Flags().StringVarP(&pkg, "package", "p", "main", "CUE `PACKAGE` of the module")
	deps.AddTo(cmd.Flags())
	return cmd
}
