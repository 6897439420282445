// SPDX-License-Identifier: Apache-2.0

package registryflag

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/artifact"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// AddLayoutTo registers the flag for the form of an OCI image layout.
func AddLayoutTo(fs *pflag.FlagSet, form *archive.Layout) {
	choice.Flag[archive.Layout]{
		Name: "layout", Usage: "`FORM` of OUTPUT, whatever its name is",
		Choices: choice.Of(archive.LayoutArchive, archive.LayoutDirectory),
	}.AddTo(fs, form)
}

// CheckSelection returns a usage error for a value that is none.
func CheckSelection(s artifact.Selection) error {
	if s.Limit < 0 {
		return fail.Usagef("--limit %d is less than 0", s.Limit)
	}
	return nil
}

// AddSelectionTo registers the flags of a command that lists what is called
// things, such as versions.
func AddSelectionTo(fs *pflag.FlagSet, s *artifact.Selection, things string) {
	fs.StringVar(&s.Range, "filter-semver", "", "list the versions in `RANGE` only, such as '>=1.2 <2' or 1.x")
	fs.IntVar(&s.Limit, "limit", 0, "list at most `N` "+things+", 0 for all")
	fs.BoolVar(&s.Digests, "digests", true, "ask for the digests of the "+things)
}
