// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// The conditions that a caller may ask for with errors.Is.
var (
	ErrDigest      = errors.New("digest mismatch")
	ErrNotModule   = errors.New("not a module")
	ErrUnsafe      = errors.New("unsafe archive")
	ErrTooLarge    = errors.New("too large")
	ErrNotArtifact = errors.New("not an artifact of ours")
	ErrNotEmpty    = errors.New("is not empty")
)

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnsafe}, args...)...)
}

// Named puts the operation and its operand before err, and makes what must not
// be tried again a refusal.
func Named(operation string, operand any, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s %s: %w", operation, operand, err)
	for _, refusal := range []error{ErrDigest, ErrUnsafe, ErrTooLarge} {
		if errors.Is(err, refusal) {
			return fail.Refuse(err)
		}
	}
	return err
}

// NotModuleError says that an artifact is not a module. It is an ErrNotModule.
type NotModuleError struct {
	Index  bool   // it is an index of several images
	Config string // or the media type of its config
}

func (e *NotModuleError) Error() string {
	if e.Index {
		return fmt.Sprintf("%v: it is an index of several images", ErrNotModule)
	}
	return fmt.Sprintf("%v: its config has media type %q", ErrNotModule, e.Config)
}

// Unwrap returns the condition.
func (e *NotModuleError) Unwrap() error { return ErrNotModule }

// LinkError says that a directory holds a symbolic link, which an artifact
// cannot. PackOptions.ResolveSymlinks packs what it points to, and the file
// Ignore leaves it out.
type LinkError struct{ Name, Ignore string }

func (e *LinkError) Error() string {
	return fmt.Sprintf("%q is a symbolic link, which an artifact cannot hold", e.Name)
}
