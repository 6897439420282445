// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// Pair is two states of an object, nil where it does not exist. It holds no
// secret: it is written to disk.
type Pair struct {
	Object        event.Object
	Before, After api.Object
}

// ExternalDiff shows pairs with a program of the user's, given with its
// arguments in one string, as two directories with a file for each object. The
// exit code 1, with which such programs say that there are differences, is no
// error.
func ExternalDiff(ctx context.Context, stdout, stderr io.Writer, command string, pairs []Pair) (err error) {
	dir, err := os.MkdirTemp("", "kubectl-timoni-diff-")
	if err != nil {
		return fmt.Errorf("make a directory for it: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	live, planned := filepath.Join(dir, "LIVE"), filepath.Join(dir, "PLANNED")
	for _, p := range pairs {
		o := p.Object
		name := strings.Join([]string{o.Group, o.Version, o.Kind, o.Namespace, o.Name}, ".")
		if err = errors.Join(writeState(live, name, p.Before), writeState(planned, name, p.After)); err != nil {
			return err
		}
	}
	words := append(strings.Fields(command), live, planned)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

func writeState(dir, name string, o api.Object) error {
	if err := os.MkdirAll(dir, 0o700); err != nil || o == nil {
		return err
	}
	text, err := toYAML(o)
	if err != nil {
		return err
	}
	// RBAC names may hold a colon, which is no part of a file name everywhere.
	return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, ":", "_")), text, 0o600)
}
