// SPDX-License-Identifier: Apache-2.0

// Package registryadvice says what the errors of package registry mean at the
// command line: their exit codes, and the flag or the command that helps.
package registryadvice

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/cache"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/trust"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// For is a fail.Adviser.
func For(err error) fail.Advice {
	for _, of := range []func(error) fail.Advice{ofRegistry, ofContent, ofSource, ofReference, ofPolicy} {
		if a := of(err); a != (fail.Advice{}) {
			return a
		}
	}
	return fail.Advice{}
}

func hint(code fail.Code, format string, args ...any) fail.Advice {
	return fail.Advice{Code: code, Hint: fmt.Sprintf(format, args...)}
}

// ofRegistry advises on what a registry answers, or that it does not.
func ofRegistry(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *session.NotFoundError:
		return hint(0, "see what there is with 'kubectl timoni mod list %s'", e.Source)
	case *oci.NoVersionError:
		return hint(0, "name one with --version; the newest are %s", strings.Join(e.Newest, ", "))
	case *session.DeniedError:
		if e.LoggedIn {
			return hint(0, "check that these credentials for %s are right and that the repository exists", e.Host)
		}
		return hint(0, "log in with 'kubectl timoni registry login %s' or give --creds USER:PASSWORD", e.Host)
	case *session.UnreachableError:
		switch {
		case e.Untrusted:
			return hint(0, "name the certificate of its authority with --registry-ca FILE, or use --insecure-registry")
		case e.Isolated:
			return hint(0, "there is no network here: a function in a container needs 'network: true' next to its image, and --network")
		}
		return hint(0, "check the name %q and that it can be reached from here", e.Host)
	case *session.CredentialsError:
		return hint(0, "check the docker configuration and its credential helpers, or give --creds USER:PASSWORD")
	case *session.TokenServerError:
		return hint(fail.Refused, "if that is its token server, allow it with --auth-host %s, or list it under authHosts in registries.yaml", e.Host)
	case *oci.ExistsError:
		return hint(fail.Refused, "choose another version, or move the tag with --force")
	}
	return fail.Advice{}
}

// ofContent advises on artifacts and on the cache.
func ofContent(err error) fail.Advice {
	if err == archive.ErrNotEmpty { //nolint:errorlint // an adviser looks at one error
		return hint(0, "choose an empty directory, or replace files with --overwrite")
	}
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *oci.OfflineError:
		return hint(0, "run it once without --offline (in a function config: registry.offline), so that it is fetched and kept")
	case *oci.PointerError:
		return hint(0, "run it once without --offline, or name the digest")
	case *archive.NotModuleError:
		if e.Index {
			return hint(0, "name the digest of the module's own manifest")
		}
		return hint(0, "push a module with 'kubectl timoni mod push'")
	case *archive.LinkError:
		return hint(0, "pack what it points to with --resolve-symlinks, or list it in %s", e.Ignore)
	case *cache.SharedError:
		return hint(fail.Refused, "make it yours alone with 'chmod go-w %s', or name another directory in TIMONI_CACHE_DIR", e.Dir)
	}
	return fail.Advice{}
}

// ofSource advises on references and on the policy of signatures.
func ofSource(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *source.NoRuleError:
		return hint(fail.Refused, "add a rule for it, with the keys of those who sign it")
	case *source.SignatureError:
		if e.Unsigned {
			return hint(fail.Refused, "the publisher signs it with 'kubectl timoni mod push --sign KEY', or with cosign")
		}
		return hint(fail.Refused, "do not use it before you know who made it")
	case *source.LocalError:
		return ofLocal(e)
	case *source.TempDirError:
		return hint(0, "set TMPDIR to a directory that can be written to")
	}
	return fail.Advice{}
}

// ofReference advises on what names a module.
func ofReference(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *ref.SchemeError:
		return hint(0, "use oci://HOST/PATH[:VERSION], file://DIR or a directory")
	case *ref.CredentialsError:
		return hint(0, "log in, for example with 'docker login %s', and leave them out", e.Host)
	case *ref.DirectoryError:
		return hint(0, "leave out --version and --digest, or use an oci:// reference")
	}
	return fail.Advice{}
}

// ofPolicy advises on the file of a policy.
func ofPolicy(err error) fail.Advice {
	switch e := err.(type) { //nolint:errorlint // an adviser looks at one error
	case *trust.UnknownFieldError:
		if e.Nearest != "" {
			return hint(0, "did you mean %q?", e.Nearest)
		}
		return hint(0, "there are %s", strings.Join(e.Known, ", "))
	case *trust.SchemeError:
		return hint(0, "write it as HOST/PATH, such as registry.example.com/modules/**")
	}
	return fail.Advice{}
}

func ofLocal(e *source.LocalError) fail.Advice {
	switch {
	case e.Address != "":
		return hint(0, "for a module in a registry use oci://%s", e.Address)
	case errors.Is(e.Err, source.ErrNoDirectory):
		return hint(0, "name the directory that holds cue.mod")
	}
	return hint(0, "name a directory that holds a module, or a module in a registry as oci://HOST/PATH:VERSION")
}
