// SPDX-License-Identifier: Apache-2.0

package option

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/assignment"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// Values are the flags that give values.
type Values struct {
	files   []string
	from    []string
	set     []setting
	private bool
}

// setting is one of the flags that set a single value.
type setting struct {
	flag string
	form assignment.Form
	arg  string
}

// AddTo registers the flags.
func (v *Values) AddTo(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&v.files, "values", "f", nil,
		"`FILE` with values in CUE, YAML or JSON, https URL, or - for stdin; may be repeated, or be a list with commas; a later one wins")
	fs.BoolVar(&v.private, "allow-private-address", false, "allow a URL to lead to this machine or into a private network")
	for _, f := range []struct {
		flag  string
		form  assignment.Form
		usage string
	}{
		{"set", assignment.AsScalar, "set one value, `PATH=VALUE`, over those of the files: true, false, null, a number or a string; may be repeated, a later one wins"},
		{"set-string", assignment.AsString, "as --set, but VALUE of `PATH=VALUE` is always a string"},
		{"set-json", assignment.AsJSON, "as --set, but VALUE of `PATH=VALUE` is JSON"},
		{"set-file", assignment.AsFile, "as --set, but VALUE of `PATH=FILE` is the content of a file, as a string"},
	} {
		fs.Var(&setter{flag: "--" + f.flag, form: f.form, to: &v.set}, f.flag, f.usage)
	}
}

// AddFromTo registers the flag of commands that talk to a cluster. What it names
// is left for the action to read: a values.Source with a Reference.
func (v *Values) AddFromTo(fs *pflag.FlagSet) {
	fs.StringArrayVar(&v.from, "values-from", nil,
		"values in the cluster, `OBJECT` being configmap/NAME:KEY or secret/NAME:KEY in the instance's namespace, over those of the files and under those that are set; may be repeated, a later one wins")
}

// references returns the sources that --values-from names.
func (v *Values) references() ([]values.Source, error) {
	var sources []values.Source
	for _, arg := range v.from {
		r, err := values.ParseReference(arg)
		if err != nil {
			return nil, fmt.Errorf("--values-from: %w", err)
		}
		sources = append(sources, values.Source{Name: r.String(), Reference: &r})
	}
	return sources, nil
}

// Watched returns the files that give values. ok is false when one of the flags
// reads the standard input.
func (v *Values) Watched() (files []string, ok bool) {
	files = v.names()
	return files, !slices.Contains(files, "-")
}

func (v *Values) names() []string { return splitNames(v.files) }

// splitNames returns the files of arguments, each of which may be a list with
// commas; what is a file or a URL with a comma is no list.
func splitNames(paths []string) []string {
	var names []string
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil || !strings.Contains(path, ",") || strings.Contains(path, "://") {
			names = append(names, path)
			continue
		}
		names = append(names, strings.Split(path, ",")...)
	}
	return names
}

// filesOf is splitNames that refuses an empty name, which a comma too many makes.
func filesOf(paths []string) ([]string, error) {
	for _, path := range paths {
		switch {
		case path == "":
			return nil, fail.Usagef("file %q: the name is empty", path)
		case slices.Contains(splitNames([]string{path}), ""):
			return nil, fail.Usagef("files %q: the list has an empty name", path)
		}
	}
	return splitNames(paths), nil
}

// Download returns how a URL of the command line is downloaded. userAgent is
// sent with each request.
func (v *Values) Download(userAgent string) download.Options {
	return download.Options{AllowPrivate: v.private, UserAgent: userAgent}
}

// Sources reads what the flags name.
func (v *Values) Sources(ctx context.Context, stdin io.Reader, userAgent string) ([]values.Source, error) {
	references, err := v.references()
	if err != nil {
		return nil, err
	}
	files, err := filesOf(v.files)
	if err != nil {
		return nil, err
	}
	sources, err := values.ReadFiles(ctx, files, values.Inputs{Stdin: stdin, Download: v.Download(userAgent), Decrypt: sops.Decrypt})
	if err != nil {
		return nil, err
	}
	sources = append(sources, references...)
	for _, s := range v.set {
		src, err := s.form.Source(ctx, s.flag, s.arg)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	return sources, nil
}

// AdviseValue says what the user may do about a problem of the values, with the
// flags of this group.
func AdviseValue(p values.Problem) string {
	if p.Remedy == values.Quote {
		return "quote it, or use --set-string"
	}
	return "give it one in a file for -f, or with --set " + strings.TrimPrefix(p.Path, "values.") + "=…"
}

// setter is a flag that adds to a list which it shares with others, so that
// their order on the command line is kept.
type setter struct {
	flag string
	form assignment.Form
	to   *[]setting
}

func (*setter) String() string { return "" }
func (*setter) Type() string   { return "value" }

// Set keeps the argument: it is read once the whole command line is known.
func (s *setter) Set(arg string) error {
	*s.to = append(*s.to, setting{s.flag, s.form, arg})
	return nil
}
