// SPDX-License-Identifier: Apache-2.0

package choice_test

import (
	"errors"
	"testing"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/option/choice"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

func TestFlag(t *testing.T) {
	t.Parallel()
	type level string
	for name, test := range map[string]struct {
		flag choice.Flag[level]
		args []string
		want level
		text string
	}{
		"the default":    {choice.Flag[level]{Default: "a", Choices: choice.Of[level]("a", "b")}, nil, "a", ""},
		"another one":    {choice.Flag[level]{Default: "a", Choices: choice.Of[level]("a", "b")}, []string{"--level=b"}, "b", ""},
		"none":           {choice.Flag[level]{Choices: choice.Of[level]("a", "b")}, []string{"--level="}, "", ""},
		"none of them":   {choice.Flag[level]{Choices: choice.Of[level]("a", "b")}, []string{"--level=c"}, "", `--level "c" is not one of a, b`},
		"empty":          {choice.Flag[level]{Default: "a", Choices: choice.Of[level]("a", "b")}, []string{"--level="}, "a", `--level "" is not one of a, b`},
		"a prefix of it": {choice.Flag[level]{Choices: choice.Of[level]("minor")}, []string{"--level=min"}, "", `--level "min" is not one of minor`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := pflag.NewFlagSet("", pflag.ContinueOnError)
			test.flag.Name = "level"
			var got level
			test.flag.AddTo(fs, &got)
			err := fs.Parse(test.args)
			if got != test.want {
				t.Errorf("value %q, want %q", got, test.want)
			}
			unknown, ok := errors.AsType[*fail.UnknownWordError](err)
			if ok != (test.text != "") || ok && unknown.Error() != test.text {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for want, choices := range map[string][]choice.Choice[string]{
		"use: a":              choice.Of("a"),
		"use: a or b (twice)": {{Word: "a"}, {Word: "b", Note: "twice"}},
		"use: a, b or c":      choice.Of("a", "b", "c"),
	} {
		if got := (choice.Flag[string]{Usage: "use", Choices: choices}).Help(); got != want {
			t.Errorf("help %q, want %q", got, want)
		}
	}
}
