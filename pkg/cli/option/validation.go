// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/build"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/builtin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/crd"
)

// Validation are the flags for checks of objects that need no cluster.
type Validation struct {
	mode    build.Validation
	flag    *pflag.Flag // --validate; nil for a command that always validates
	files   []string
	openAPI []string
}

// AddTo registers the flags. That of URLs, --allow-private-address, is one of
// Values.
func (v *Validation) AddTo(fs *pflag.FlagSet) {
	v.AddFilesTo(fs)
	v.flag = validate("custom resources").AddTo(fs, &v.mode)
}

// validate is the flag about objects of some kinds.
func validate(objects string) choice.Flag[build.Validation] {
	return choice.Flag[build.Validation]{
		Name: "validate", Usage: "how to report " + objects + " that a server would refuse", Default: build.ValidateStrict,
		Choices: []choice.Choice[build.Validation]{{Word: build.ValidateStrict, Note: "error"}, {Word: build.ValidateWarn}, {Word: build.ValidateOff}},
	}
}

// AddFilesTo registers the flags of a command that always validates.
func (v *Validation) AddFilesTo(fs *pflag.FlagSet) {
	v.mode = build.ValidateStrict
	fs.StringArrayVar(&v.files, "crds", nil,
		"`FILE`, directory or https URL with additional CRDs to validate with; may be repeated")
}

// AddSchemaTo registers the flag of a command that asks no server about objects
// of Kubernetes' own kinds: --validate is about them too, with another default.
func (v *Validation) AddSchemaTo(fs *pflag.FlagSet) {
	if v.flag != nil {
		v.flag.Usage = validate("objects").Help()
		v.flag.DefValue = "strict for custom resources, warn for kinds of Kubernetes"
	}
	fs.StringArrayVar(&v.openAPI, "schema", nil,
		"`FILE`, directory or https URL with the OpenAPI of another Kubernetes; may be repeated")
}

// Check returns a usage error unless the standard input is read once.
func (v *Validation) Check(values *Values) error {
	if slices.Contains(v.files, "-") && slices.Contains(values.names(), "-") {
		return fail.Usagef("--crds - and -f - cannot both read the standard input")
	}
	if slices.Contains(v.openAPI, "-") && slices.Contains(slices.Concat(v.files, values.names()), "-") {
		return fail.Usagef("--schema - cannot read the standard input, which --crds or -f reads")
	}
	return nil
}

// Complete reads what the flags name into the request.
func (v *Validation) Complete(ctx context.Context, req *build.Request, stdin io.Reader, o download.Options) (err error) {
	req.Validate = v.mode
	if req.Validate != build.ValidateOff {
		req.CRDs, err = crd.Read(ctx, crd.Files{Names: v.files, Stdin: stdin, Download: o})
	}
	if err == nil {
		req.Schemas, err = v.Schemas(ctx, stdin, o)
	}
	return err
}

// Schemas reads what --schema names; nil when it is not given.
func (v *Validation) Schemas(ctx context.Context, stdin io.Reader, o download.Options) (*builtin.Schemas, error) {
	if len(v.openAPI) == 0 {
		return nil, nil
	}
	openAPI, err := crd.ReadOpenAPI(ctx, crd.Files{Names: v.openAPI, Stdin: stdin, Download: o})
	if err != nil {
		return nil, err
	}
	return builtin.Of(openAPI), nil
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
