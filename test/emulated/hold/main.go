// SPDX-License-Identifier: Apache-2.0

// Command hold keeps files open until it is interrupted, as an editor or a virus
// scanner does on Windows.
package main

import (
	"fmt"
	"os"
	"os/signal"
)

func main() {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	var files []*os.File
	for _, name := range os.Args[1:] {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		files = append(files, f)
	}
	fmt.Println("open")
	<-interrupted
	for _, f := range files {
		_ = f.Close()
	}
}
