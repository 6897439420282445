// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// errNoNames means that a file does not hold the names of Go functions where
// they are looked for, so that nothing can be said of what it links.
var errNoNames = errors.New("no function names found")

// measurement is what was found of one binary.
type measurement struct {
	megabytes float64
	startup   time.Duration
	links     map[library]string // to a function of it
}

func measure(path string) (measurement, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return measurement{}, fmt.Errorf("build it first: %w", err)
	}
	links, err := linked(data)
	if err != nil {
		return measurement{}, err
	}
	startup, err := startup(path)
	if err != nil {
		return measurement{}, err
	}
	return measurement{float64(len(data)) / 1e6, startup, links}, nil
}

// linked returns the libraries of which a Go program holds code, each with the
// name of a function in it.
//
// Stack traces need the names of all functions, so that a stripped program
// holds them too: one after the other, each ended by a zero byte. That is so
// in the files of every operating system, where the symbol table, which
// stripping removes, and the sections differ.
func linked(program []byte) (map[library]string, error) {
	if !bytes.Contains(program, []byte("\x00main.main\x00")) {
		return nil, errNoNames
	}
	links := map[library]string{}
	for _, lib := range libraries() {
		for _, pkg := range lib.packages() {
			if name := function(program, pkg); name != "" {
				links[lib] = name
				break
			}
		}
	}
	return links, nil
}

// function returns the name of a function in pkg or in a package below it, or
// "" when the program holds none.
func function(program []byte, pkg string) string {
	start := []byte("\x00" + pkg)
	for {
		i := bytes.Index(program, start)
		if i < 0 {
			return ""
		}
		name := program[i+1:]
		program = name[len(pkg):]
		end := bytes.IndexByte(name, 0)
		if end > len(pkg) && (name[len(pkg)] == '.' || name[len(pkg)] == '/') {
			return string(name[:end])
		}
	}
}

// startup returns the least CPU time, of the program and of the system on its
// behalf, that printing the help took in 20 runs.
func startup(path string) (time.Duration, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	home, err := os.MkdirTemp("", "size")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	var least time.Duration
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		cmd := exec.CommandContext(ctx, path, "--help")
		// The configuration of the person who runs this must not count.
		cmd.Env = append(os.Environ(), "HOME="+home, "KUBECONFIG="+filepath.Join(home, "none"))
		err := cmd.Run()
		cancel()
		if err != nil {
			return 0, fmt.Errorf("%s --help: %w", filepath.Base(path), err)
		}
		used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if i == 0 || used < least {
			least = used
		}
	}
	return least, nil
}
