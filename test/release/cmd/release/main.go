// SPDX-License-Identifier: Apache-2.0

// Command release makes what a release consists of. Run it in the root of the
// repository.
//
//	release dist [-o DIR] [-base URL] [OS/ARCH...]   build, pack and describe, for all platforms or some
//	release index -record FILE DIR                   write krew's index of a record into a repository of git
//	release local -root DIR                          install the whole set of bin/ with krew into KREW_ROOT
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

func main() {
	os.Exit(kit.Program(func(ctx context.Context) error { return run(ctx, os.Args[1:]) }))
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want dist, index or local")
	}
	flags := flag.NewFlagSet("release "+args[0], flag.ExitOnError)
	out := flags.String("o", "dist", "directory of what is made")
	base := flags.String("base", "", "URL that the archives will be below (default: that of the release)")
	file := flags.String("record", release.RecordFile, "record of a release")
	root := flags.String("root", "", "directory to install into: KREW_ROOT")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "dist":
		d := dist{dir: *out, base: *base, log: os.Stdout}
		return d.make(ctx, flags.Args())
	case "index":
		return index(ctx, *file, flags.Args())
	case "local":
		return local(ctx, *root)
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func index(ctx context.Context, file string, args []string) error {
	if len(args) != 1 {
		return errors.New("index: want one DIR")
	}
	r, err := release.ReadRecord(file)
	if err != nil {
		return err
	}
	all, err := release.Programs(".")
	if err != nil {
		return err
	}
	return release.Index(ctx, args[0], r, all)
}
