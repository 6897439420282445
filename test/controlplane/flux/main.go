// SPDX-License-Identifier: Apache-2.0

// Command flux-oci pulls and pushes with the library of Flux, whose source
// controller and command line do it so.
//
//	flux-oci pull HOST/PATH:TAG DIR
//	flux-oci push HOST/PATH:TAG DIR SOURCE REVISION
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/oci"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	client := oci.NewClient(oci.DefaultOptions())
	switch {
	case len(args) == 3 && args[0] == "pull":
		// The controller asks for the first layer, by its media type or index.
		meta, err := client.Pull(ctx, args[1], args[2])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(meta)
	case len(args) == 5 && args[0] == "push":
		digest, err := client.Push(ctx, args[1], args[2], oci.WithPushMetadata(oci.Metadata{Source: args[3], Revision: args[4]}))
		fmt.Println(digest)
		return err
	}
	return errors.New("usage: flux-oci pull URL DIR | push URL DIR SOURCE REVISION")
}
