// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/spelling"
)

// spelledOurs returns a command line in which nothing is spelled as only Timoni
// spells it. Commands that Timoni has not, and those that hand on what they get,
// are left alone.
func spelledOurs(root *cobra.Command, args []string) (spelling.Line, error) {
	if root.DisableFlagParsing || strings.HasPrefix(root.Name(), "timoni") {
		return spelling.Line{Args: args}, nil
	}
	if isCompletion(args) {
		last := len(args) - 1 // what is being typed
		line, err := spelling.Rewrite(spelled{root}, args[1:last])
		if err != nil {
			return spelling.Line{Args: args}, nil //nolint:nilerr // completion goes on with what there is
		}
		line.Args = slices.Concat(args[:1], line.Args, args[last:])
		return line, nil
	}
	return spelling.Rewrite(spelled{root}, args)
}

// isCompletion says whether a shell asks what may follow.
func isCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// spelled is a command as package spelling sees it.
type spelled struct{ cmd *cobra.Command }

func (s spelled) Name() string { return s.cmd.Name() }

// Child finds a subcommand by its name or an alias.
func (s spelled) Child(word string) (spelling.Command, bool) {
	for _, child := range s.cmd.Commands() {
		if child.Name() == word || child.HasAlias(word) {
			return spelled{child}, true
		}
	}
	return nil, false
}

// Flag finds a flag by its name or its letter.
func (s spelled) Flag(name string) (takesValue, known bool) {
	if name == "help" || name == "h" {
		return false, true // cobra adds it later
	}
	find := func(set *pflag.FlagSet) *pflag.Flag {
		if len(name) == 1 {
			return set.ShorthandLookup(name)
		}
		return set.Lookup(name)
	}
	for _, set := range []*pflag.FlagSet{s.cmd.Flags(), s.cmd.PersistentFlags(), s.cmd.InheritedFlags()} {
		if f := find(set); f != nil {
			return f.NoOptDefVal == "", true
		}
	}
	return false, false
}

// errLate is in the cause of a context that --timeout ended.
var errLate = errors.New("timed out")

// within returns a context that ends after a time, 0 for no limit.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %s, the limit of --timeout", errLate, limit))
}
