// SPDX-License-Identifier: Apache-2.0

package artifactcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/registryflag"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
)

const loginLong = `Check credentials for a registry and store them.

The password or token is one line on the standard input, so that it shows up
neither in the list of processes nor in the history of the shell, as that of
--password does. It is stored
where docker, and every tool that reads its configuration, finds it: in the
credential helper that is configured, or in config.json. Nothing is stored when
the registry refuses it.`

func newLogin(env cli.Env) *cobra.Command {
	o := &login{env: env}
	cmd := &cobra.Command{
		Use: "login HOST", Short: "Log in to a registry", Long: loginLong,
		Example: cli.Example(env, "registry login ghcr.io -u me --password-stdin < token"),
		Args:    cli.Args(1, "HOST"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.user, "username", "u", "", "`NAME` of the user")
	fs.StringVarP(&o.password, "password", "p", "", "`PASSWORD`, which other users of this machine can see: prefer --password-stdin")
	fs.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password from the standard input")
	registryflag.AddAuthHostsTo(fs, &o.authHosts)
	fs.StringVar(&o.ca, "registry-ca", "", "`FILE` with CA certificates (PEM) of the registry")
	fs.BoolVar(&o.insecure, "insecure-registry", false, "allow HTTP and unverified TLS")
	return cmd
}

type login struct {
	env                     cli.Env
	user, password, ca      string
	authHosts               []string
	passwordStdin, insecure bool
}

func (o *login) run(ctx context.Context, host string) error {
	if o.user == "" {
		return fail.Usagef("the user is missing: --username NAME")
	}
	password, err := o.secret(host)
	if err != nil {
		return err
	}
	where, err := session.Login(ctx, host, session.Access{
		Creds: o.user + ":" + password, CAFile: o.ca, Insecure: o.insecure, UserAgent: cli.UserAgent("artifact"),
		AuthHosts: o.authHosts, Mirrors: registryflag.Mirrors(o.env),
	})
	if err != nil {
		return err
	}
	_, err = ui.Printf(o.env.Stdout, "logged in to %s as %s, configured in %s\n", host, o.user, where)
	return err
}

// secret returns the password.
func (o *login) secret(host string) (string, error) {
	switch {
	case o.password != "" && o.passwordStdin:
		return "", fail.Usagef("--password and --password-stdin exclude each other")
	case o.password != "":
		_, err := ui.Println(o.env.Stderr, "warning: --password is seen by every user of this machine, use --password-stdin")
		return o.password, err
	case !o.passwordStdin:
		return "", fail.Hint(fail.Usagef("the password is missing: --password-stdin"),
			"type '%s registry login %s -u %s --password-stdin', then the password and Ctrl-D", o.env.Program, host, o.user)
	}
	password, err := registryflag.ReadSecret(o.env.Stdin)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if password == "" {
		return "", fail.Usagef("the password on the standard input is empty")
	}
	return password, nil
}

func newLogout(env cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: "logout HOST", Short: "Log out of a registry",
		Long:    "Remove the credentials for a registry from where login put them.",
		Example: cli.Example(env, "registry logout ghcr.io"),
		Args:    cli.Args(1, "HOST"),
		RunE: func(_ *cobra.Command, args []string) error {
			where, err := session.Logout(args[0])
			if err != nil {
				return err
			}
			_, err = ui.Printf(env.Stdout, "logged out of %s in %s\n", args[0], where)
			return err
		},
	}
}
