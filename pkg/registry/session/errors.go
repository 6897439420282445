// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// The conditions that a caller may ask for with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrUnauthorized = errors.New("access denied")
	ErrUnreachable  = errors.New("registry is unreachable")
)

// Explain turns an error of the registry client into one that says what to do.
// Of the text that the registry sent only the first line is kept, without
// control characters and without anything that is secret.
func (s *Session) Explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// A loopback registry is asked over https and http, and both failures are
	// in err. The one that says more is taken.
	if own, ok := errors.AsType[guarded](err); ok {
		return own.error
	}
	if stalled, ok := errors.AsType[stallError](err); ok {
		return s.explainConnection(stalled)
	}
	if slow, ok := errors.AsType[slowError](err); ok {
		return s.explainConnection(slow)
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return s.explainConnection(untrusted)
	}
	if status, ok := errors.AsType[*transport.Error](err); ok {
		return s.explainStatus(status)
	}
	if broken, ok := errors.AsType[*url.Error](err); ok {
		return s.explainConnection(broken.Err)
	}
	return errors.New(s.Clean(err.Error()))
}

func (s *Session) explainStatus(status *transport.Error) error {
	text := fmt.Sprintf("%d %s", status.StatusCode, http.StatusText(status.StatusCode))
	for _, d := range status.Errors {
		text += fmt.Sprintf(", %s: %s", d.Code, d.Message)
	}
	text = s.Clean(text)
	host := s.Repo.RegistryStr()
	switch status.StatusCode {
	case http.StatusNotFound:
		return &NotFoundError{Source: s.Ref.Source(), Err: fmt.Errorf("%w (%s)", ErrNotFound, text)}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &DeniedError{Host: host, LoggedIn: s.loggedIn, Err: fmt.Errorf("%w (%s)", ErrUnauthorized, text)}
	}
	return fmt.Errorf("registry %s answered %s", host, text)
}

func (s *Session) explainConnection(cause error) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](cause)
	_, notTLS := errors.AsType[tls.RecordHeaderError](cause)
	return &UnreachableError{
		Host: s.Repo.RegistryStr(), Reason: s.Clean(cause.Error()),
		Untrusted: untrusted || notTLS || errors.Is(cause, http.ErrSchemeMismatch), Isolated: isolated(),
	}
}

// isolated says that this process reaches nothing but itself, as in a container
// without network.
func isolated() bool {
	interfaces, err := net.Interfaces()
	return err == nil && !slices.ContainsFunc(interfaces, func(i net.Interface) bool {
		return i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0
	})
}

// Clean makes a text from outside fit for an error: one line, no control
// characters, of bounded length, and none of the credentials, which a server
// may send back.
func (s *Session) Clean(text string) string {
	const longest = 300
	hidden := map[string]string{}
	for _, secret := range s.secrets {
		hidden[secret] = mask.Hidden
	}
	text = mask.Values(hidden)(text)
	text, _, _ = strings.Cut(text, "\n")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text
}
