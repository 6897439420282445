// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Password returns what asks a person for a password, which is not shown while
// it is typed. It is a usage error when stdin is no terminal.
func Password(stdin io.Reader, stderr io.Writer) func(question string) ([]byte, error) {
	return func(question string) ([]byte, error) {
		f, ok := stdin.(*os.File)
		if !ok || !term.IsTerminal(int(f.Fd())) {
			return nil, fail.Usagef("it is encrypted, and there is no terminal to ask for its password")
		}
		if _, err := fmt.Fprint(stderr, mask.Lines(question)); err != nil {
			return nil, err
		}
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(stderr)
		return password, err
	}
}
