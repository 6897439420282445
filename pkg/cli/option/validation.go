// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// Validation are the flags for checks of custom resources that need no cluster.
type Validation struct {
	mode  build.Validation
	flag  *pflag.Flag // --validate; nil for a command that always validates
	files []string
}

// AddTo registers the flags. That of URLs, --allow-private-address, is one of
// Values.
func (v *Validation) AddTo(fs *pflag.FlagSet) {
	v.AddFilesTo(fs)
	fs.StringVar((*string)(&v.mode), "validate", string(build.ValidateStrict),
		"how to report custom resources that do not match their CRDs: strict (error), warn, off")
	v.flag = fs.Lookup("validate")
}

// AddFilesTo registers the flags of a command that always validates.
func (v *Validation) AddFilesTo(fs *pflag.FlagSet) {
	v.mode = build.ValidateStrict
	fs.StringArrayVar(&v.files, "crds", nil,
		"`FILE`, directory or https URL with additional CRDs to validate with; may be repeated")
}

// Check returns a usage error unless the mode is one and the standard input is
// read once.
func (v *Validation) Check(values *Values) error {
	if slices.Contains(v.files, "-") && slices.Contains(values.names(), "-") {
		return fail.Usagef("--crds - and -f - cannot both read the standard input")
	}
	return fail.OneOf("--validate", v.mode, build.ValidateStrict, build.ValidateWarn, build.ValidateOff)
}

// Complete reads what the flags name into the request.
func (v *Validation) Complete(ctx context.Context, req *build.Request, stdin io.Reader, o download.Options) (err error) {
	req.Validate = v.mode
	if req.Validate != build.ValidateOff {
		req.CRDs, err = crd.Read(ctx, crd.Files{Names: v.files, Stdin: stdin, Download: o})
	}
	return err
}

// BuiltIns says how to report objects of Kubernetes' own kinds that a server
// would refuse. A server may know more of them than this program, so that it is
// an error only when that is asked for.
func (v *Validation) BuiltIns() build.Validation {
	if v.mode == build.ValidateStrict && v.flag != nil && !v.flag.Changed {
		return build.ValidateWarn
	}
	return v.mode
}

// Explain adds what can be done about custom resources that are not valid.
func (v *Validation) Explain(err error) error {
	if _, ok := errors.AsType[*build.StructureError](err); ok {
		return fail.Hint(err, "to continue: --validate=warn")
	}
	return err
}
