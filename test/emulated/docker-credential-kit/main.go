// SPDX-License-Identifier: Apache-2.0

// Command docker-credential-kit is a credential helper for the tests: it keeps one
// credential in the file kit.json of docker's configuration.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	file := filepath.Join(os.Getenv("DOCKER_CONFIG"), "kit.json")
	if err := run(os.Args[1], file); err != nil {
		fmt.Println(err) // the protocol has its errors on the standard output
		os.Exit(1)
	}
}

func run(verb, file string) error {
	asked, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	switch verb {
	case "store":
		return os.WriteFile(file, asked, 0o600)
	case "erase":
		return os.Remove(file)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("credentials not found in native keychain")
	}
	_, err = os.Stdout.Write(kept)
	return err
}
