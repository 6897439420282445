// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Secrets are the flags that say what becomes of Secrets in objects that another
// tool is to apply.
type Secrets struct {
	Keys            string // of --emit-keys: the Secret with the keys to decrypt with
	refuse, encrypt bool
}

// AddTo registers the flags.
func (s *Secrets) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&s.refuse, "no-secrets", false, "refuse to write Secrets that hold anything (exit code 5)")
	fs.BoolVar(&s.encrypt, "sops", false, "encrypt what Secrets hold with the program sops, by its .sops.yaml or environment")
	fs.StringVar(&s.Keys, "emit-keys", "", "with --emit=flux and --sops, the `SECRET` in the instance's namespace that has the keys to decrypt with")
}

// Check returns a usage error for flags that contradict each other.
func (s *Secrets) Check(isMasked, isFlux bool) error {
	switch {
	case s.refuse && s.encrypt:
		return fail.Usagef("--no-secrets refuses what --sops encrypts: give one of them")
	case s.encrypt && isMasked:
		return fail.Usagef("--mask-secrets leaves nothing for --sops to encrypt: give one of them")
	case s.Keys != "" && !(isFlux && s.encrypt):
		return fail.Usagef("--emit-keys is about --emit=flux with --sops")
	}
	return nil
}

// Settle refuses or encrypts the Secrets of a result, or warns of them where they
// go to a place, such as a registry, that others may read.
func (s *Secrets) Settle(ctx context.Context, result *build.Result, placed build.Placed, place string, observer event.Observer) error {
	names := strings.Join(result.Secrets(), ", ")
	switch {
	case names == "":
		return nil
	case s.refuse:
		return fail.Hint(fail.Refusedf("--no-secrets: these hold something: %s", names), "let --sops encrypt them, or keep them out of the module")
	case s.encrypt:
		err := result.EncryptSecrets(ctx, placed)
		if errors.Is(err, sops.ErrMissing) {
			err = fail.Hint(err, "install sops, or leave out --sops")
		}
		return err
	case place != "":
		observer.Observe(event.Warning{Text: fmt.Sprintf("what these hold can be read by all who can read %s: %s; --sops encrypts it, --no-secrets refuses it", place, names)})
	}
	return nil
}
