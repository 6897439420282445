// SPDX-License-Identifier: Apache-2.0

// Package complete is what the shell offers in place of an operand or of a
// flag's value. What a cluster, a registry or a module says may be hostile: a
// word that a shell could read as anything but a word is not offered.
package complete

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultLimit is how long the shell waits for an answer.
const defaultLimit = time.Second

// limitKey is the key of another limit in a context.
type limitKey struct{}

// Within returns a context in which the shell waits for an answer that long.
func Within(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, limitKey{}, limit)
}

// Func returns what may stand where the cursor is: words, each with a
// description behind a tab or without. args are the operands before it, and typed
// is what stands there already. An error of what is asked means no words.
type Func func(ctx context.Context, args []string, typed string) []string

// Directories stands for what the shell knows itself.
func Directories(context.Context, []string, string) []string { return []string{directories} }

const directories = "\x00directories"

// Flag has the values of a flag of fs completed by f.
func Flag(fs *pflag.FlagSet, name string, f Func) {
	flag := fs.Lookup(name)
	flag.Value = &value{flag.Value, f}
}

// value is a flag's value that knows how it is completed.
type value struct {
	pflag.Value
	complete Func
}

// Operands completes the operands of a command, one function for each in order;
// what follows them has no completion.
func Operands(funcs ...Func) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= len(funcs) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd.Context(), funcs[len(args)], args, typed)
	}
}

// Each completes every operand of a command in the same way, without those that
// are there already.
func Each(f Func) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		others := func(ctx context.Context, args []string, typed string) []string {
			return slices.DeleteFunc(f(ctx, args, typed), func(line string) bool {
				word, _, _ := strings.Cut(line, "\t")
				return slices.Contains(args, word)
			})
		}
		return offer(cmd.Context(), others, args, typed)
	}
}

// Register has the flags of a command and of those below it completed, each as
// its value says.
func Register(cmd *cobra.Command) {
	for _, fs := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		fs.VisitAll(func(flag *pflag.Flag) {
			if f := of(flag.Value); f != nil {
				// An error says that the flag has a completion of its own.
				_ = cmd.RegisterFlagCompletionFunc(flag.Name, func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
					return offer(cmd.Context(), f, args, typed)
				})
			}
		})
	}
	for _, child := range cmd.Commands() {
		Register(child)
	}
}

// of returns how a flag's value is completed, nil where that is not known.
func of(v pflag.Value) Func {
	switch v := v.(type) {
	case *value:
		return v.complete
	case interface{ Choices() []string }: // of package choice
		return Words(v.Choices()...)
	}
	return nil
}

// Words returns a function that offers the same words wherever the cursor is.
func Words(words ...string) Func {
	return func(context.Context, []string, string) []string { return words }
}

// offer asks f, within the limit, and returns what is safe to offer.
func offer(ctx context.Context, f Func, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	limit, ok := ctx.Value(limitKey{}).(time.Duration)
	if !ok {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found := make(chan []string, 1)
	go func() { found <- f(ctx, args, typed) }() // what does not end with ctx ends with the process
	var words []string
	select {
	case words = <-found:
	case <-ctx.Done():
	}
	if slices.Equal(words, []string{directories}) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return safe(words, typed)
}

var (
	// wordRE matches what every shell reads as one word that stands for itself.
	wordRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+=%-]*$`)
	// strangeRE matches what does not belong into a description.
	strangeRE = regexp.MustCompile(`[^A-Za-z0-9 ._:/@+=,-]+`)
)

// longest is how much of a description is shown.
const longest = 80

// safe returns the words that begin with what is typed, without those that are
// not safe. After a word that is to go on the shell puts no space.
func safe(words []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	var offered []cobra.Completion
	goesOn := true
	for _, line := range words {
		word, description, _ := strings.Cut(line, "\t")
		if !strings.HasPrefix(word, typed) || !wordRE.MatchString(word) {
			continue
		}
		goesOn = goesOn && strings.ContainsAny(word[len(word)-1:], "/=.:")
		if description = strangeRE.ReplaceAllString(description, " "); len(description) > longest {
			description = description[:longest]
		}
		if description != "" {
			word = cobra.CompletionWithDesc(word, description)
		}
		offered = append(offered, word)
	}
	if goesOn && len(offered) > 0 {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return offered, directive
}
