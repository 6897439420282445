// SPDX-License-Identifier: Apache-2.0

// Command floor loads and builds the CUE package in a directory, and does
// nothing else: what a rendering cannot cost less than while it uses the CUE
// API as it is.
//
// Usage:
//
//	floor DIR NAME NAMESPACE
package main

import (
	"fmt"
	"os"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(dir, name, namespace string) error {
	version := load.TagVar{Func: func() (ast.Expr, error) { return ast.NewString("1.36.0"), nil }}
	inst := load.Instances([]string{"."}, &load.Config{
		Dir:     dir,
		Tags:    []string{"name=" + name, "namespace=" + namespace},
		TagVars: map[string]load.TagVar{"moduleVersion": version, "kubeVersion": version},
	})[0]
	if inst.Err != nil {
		return inst.Err
	}
	return cuecontext.New().BuildInstance(inst).Validate()
}
