// SPDX-License-Identifier: Apache-2.0

// Command hold keeps files open, as an editor or a virus scanner does on Windows,
// until the file exists that its first argument names.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	var files []*os.File
	for _, name := range os.Args[2:] {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		files = append(files, f)
	}
	fmt.Println("open")
	for !exists(os.Args[1]) {
		time.Sleep(20 * time.Millisecond)
	}
	for _, f := range files {
		_ = f.Close()
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
