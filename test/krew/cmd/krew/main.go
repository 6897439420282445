// SPDX-License-Identifier: Apache-2.0

// Command krew packs the binaries for krew, writes the manifest, and installs
// an archive the way krew does. Run it in the root of the repository.
//
// Usage:
//
//	krew manifest [-release DIR] [-o FILE]
//	krew pack [-bin DIR] [-dist DIR] [-os OS] [-arch ARCH]
//	krew local [-bin DIR] [-dist DIR] -root DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/kubectl-timoni/kubectl-timoni/test/krew"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "krew:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("want manifest, pack or local")
	}
	flags := flag.NewFlagSet("krew "+args[0], flag.ExitOnError)
	bin := flags.String("bin", "bin", "directory of the built binaries")
	dist := flags.String("dist", "dist", "directory of the archives")
	t := krew.Target{}
	flags.StringVar(&t.OS, "os", runtime.GOOS, "operating system of the binaries")
	flags.StringVar(&t.Arch, "arch", runtime.GOARCH, "architecture of the binaries")
	release := flags.String("release", "", "directory of the archives of a release, for their checksums")
	out := flags.String("o", "krew-manifests/timoni.yaml", "manifest to write")
	root := flags.String("root", "", "directory to install into, in place of KREW_ROOT")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	binaries, err := krew.Binaries(".")
	if err != nil {
		return err
	}
	switch args[0] {
	case "manifest":
		return manifest(binaries, *release, *out)
	case "pack":
		path, err := krew.Pack(".", *bin, *dist, t, binaries)
		if err != nil {
			return err
		}
		fmt.Println(path)
		return nil
	case "local":
		return local(binaries, *bin, *dist, *root)
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func manifest(binaries []string, release, out string) error {
	p, err := krew.Manifest(binaries, release)
	if err != nil {
		return err
	}
	data, err := krew.Render(p)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// local packs an archive for this platform and installs it.
func local(binaries []string, bin, dist, root string) error {
	if root == "" {
		return errors.New("local needs -root")
	}
	t := krew.Target{OS: runtime.GOOS, Arch: runtime.GOARCH}
	archive, err := krew.Pack(".", bin, dist, t, binaries)
	if err != nil {
		return err
	}
	p, err := krew.LocalManifest(binaries, archive, t)
	if err != nil {
		return err
	}
	link, err := krew.Install(p, t, archive, root)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(filepath.Dir(link))
	if err != nil {
		return err
	}
	fmt.Printf("export PATH=%q:\"$PATH\"\n", dir)
	return nil
}
