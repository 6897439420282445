// SPDX-License-Identifier: Apache-2.0

// Package cli is where a process meets the world: arguments, environment,
// streams, signals and the exit code are read here and nowhere else, and
// travel as Env.
package cli

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/plugins"
)

// Env is what a command knows of the process it runs in.
type Env struct {
	Program string   // what the person typed to get here: "kubectl timoni apply"
	Verb    string   // the last word of Program
	Args    []string // what follows Program

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	LookupEnv  func(string) (string, bool)
	Environ    func() []string
	Executable func() (string, error) // the path of the running binary
	Process    Process
}

// Getenv returns an environment variable, empty when it is not set.
func (e Env) Getenv(key string) string {
	v, _ := e.LookupEnv(key)
	return v
}

// with returns an Env in which variables count as set. What is put into them
// later counts, too.
func (e Env) with(variables map[string]string) Env {
	lookup, environ := e.LookupEnv, e.Environ
	e.LookupEnv = func(key string) (string, bool) {
		if value, ok := variables[key]; ok || lookup == nil {
			return value, ok
		}
		return lookup(key)
	}
	e.Environ = func() []string {
		var all []string
		if environ != nil {
			all = slices.Clone(environ())
		}
		for _, key := range slices.Sorted(maps.Keys(variables)) {
			all = append(all, key+"="+variables[key])
		}
		return all
	}
	return e
}

// Places returns where the other binaries of the set are looked for.
func (e Env) Places() plugins.Places {
	executable, err := e.Executable()
	if err != nil {
		executable = "" // PATH is left
	}
	return plugins.NewPlaces(executable, e.Getenv("PATH"))
}

// processEnv returns the Env of this process.
func processEnv() Env {
	program, verb := typed(os.Args[0])
	return Env{
		Program: program, Verb: verb, Args: os.Args[1:],
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		LookupEnv: os.LookupEnv, Environ: os.Environ, Executable: os.Executable,
		Process: thisProcess(),
	}
}

// typed returns what the person typed to start a process with this argv[0],
// and the verb, its last word.
//
// kubectl starts a plugin by its path, so a path means that "kubectl timoni
// apply" was typed; a bare name is what a shell passes on. The front door
// starts its siblings with the typed words themselves as argv[0], which is how
// one binary serves several verbs and how help can show what was typed.
func typed(argv0 string) (program, verb string) {
	if strings.HasPrefix(argv0, "kubectl timoni") || strings.HasPrefix(argv0, "kubectl-timoni ") {
		return argv0, argv0[strings.LastIndexByte(argv0, ' ')+1:]
	}
	name := strings.TrimSuffix(filepath.Base(argv0), ".exe")
	rest, isPlugin := strings.CutPrefix(name, "kubectl-")
	if !isPlugin {
		return name, name
	}
	verb = rest[strings.LastIndexByte(rest, '-')+1:]
	if name == argv0 {
		return name, verb
	}
	return "kubectl " + strings.ReplaceAll(rest, "-", " "), verb
}
