// SPDX-License-Identifier: Apache-2.0

// Command nothing does nothing: what it takes to start is the machine's.
package main

func main() {}
