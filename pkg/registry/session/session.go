// SPDX-License-Identifier: Apache-2.0

// Package session talks to one repository of a registry: with credentials, which
// go nowhere else, through connections that break and stall, to a registry that
// may not lead inside a private network and whose answers have an end. It says in
// one line why a request failed, and shows no secret.
package session

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/mirror"
)

// Access says how a registry is reached. The zero value takes the credentials
// of the docker configuration and its helpers.
type Access struct {
	// Creds is user:password and wins over the docker configuration.
	Creds string
	// Insecure allows plain HTTP and unverified TLS.
	// Registries on the loopback interface may speak http without it.
	Insecure bool
	// CAFile holds certificates, in PEM form, by which a registry's are verified,
	// in addition to those of the system.
	CAFile    string
	UserAgent string
	// Stall ends a request when no byte has moved for so long, 30 s when zero.
	// A request as a whole has no deadline: a large layer may take its time.
	// What is no layer has four times as long for the whole answer.
	Stall time.Duration
	// AuthHosts are hosts, HOST or HOST:PORT, that may be asked for a token with
	// the credentials, in addition to those of the registry's own domain.
	AuthHosts []string
	// Mirrors say where to read instead, and name further AuthHosts.
	Mirrors mirror.Mirrors
	// Observer is told of what is sent and received. Nil discards it.
	Observer event.Observer
	// IsPrivate says which addresses belong to a private network,
	// download.IsPrivate when nil.
	IsPrivate func(netip.Addr) bool
}

// Observe tells the observer of an event, if there is one.
func (a Access) Observe(e event.Event) {
	if a.Observer != nil {
		a.Observer.Observe(e)
	}
}

// Session is the conversation with one repository.
type Session struct {
	Ref       ref.Reference
	Repo      name.Repository
	auth      authn.Authenticator
	loggedIn  bool     // credentials are known
	secrets   []string // what no error may contain
	tcp       *http.Transport
	transport http.RoundTripper // tcp, tried again, resumed, guarded and challenged
	network   *network
	stall     time.Duration
	authHosts []string
	Remote    []remote.Option
	userAgent string

	public        atomic.Bool // the registry answers without knowing who asks
	loginMutex    sync.Mutex
	authenticated http.RoundTripper // nil before login
}

// Open prepares a session; it asks credential helpers, but no registry.
func Open(ctx context.Context, r ref.Reference, o Access) (*Session, error) {
	return openAt(ctx, r, r.Repository, o)
}

// OpenToRead is open, at a mirror where there is one.
func OpenToRead(ctx context.Context, r ref.Reference, o Access) (*Session, error) {
	repository, err := o.Mirrors.Of(r.Repository)
	if err != nil {
		return nil, err
	}
	return openAt(ctx, r, repository, o)
}

func openAt(ctx context.Context, r ref.Reference, repository string, o Access) (*Session, error) {
	if err := r.CheckRemote(); err != nil {
		return nil, err
	}
	// The host is given to the library on its own: in host/path it would take
	// a host without dot and port for a part of the path on Docker Hub.
	host, path, _ := strings.Cut(repository, "/")
	registry, err := newRegistry(host, o.Insecure)
	if err != nil {
		return nil, err
	}
	s := &Session{Ref: r, Repo: registry.Repo(path), userAgent: o.UserAgent, stall: cmp.Or(o.Stall, defaultStall)}
	if s.authHosts, err = o.Mirrors.TokenServers(o.AuthHosts, registry.RegistryStr(), host); err != nil {
		return nil, err
	}
	s.network = newNetwork(registry.RegistryStr(), o.IsPrivate, s.isNamed)
	if s.tcp, err = newTransport(o, s.network); err != nil {
		return nil, err
	}
	resumed := resumer{retrier{&stallGuard{next: s.tcp, limit: s.stall}, func(t event.Transferred) {
		t.Reference = r.String()
		o.Observe(t)
	}}}
	s.transport = &challenged{next: guard{resumed, s}, session: s}
	if s.auth, err = s.authenticate(ctx, o.Creds); err != nil {
		return nil, err
	}
	s.Remote = []remote.Option{
		remote.WithAuth(s.auth),
		remote.WithTransport(s.transport),
		// Requests are retried by our own transport. What is left to the library
		// is an upload as a whole, and its wait, through an interrupt, is short.
		remote.WithRetryStatusCodes(),
		remote.WithRetryBackoff(remote.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 3}),
	}
	if o.UserAgent != "" {
		s.Remote = append(s.Remote, remote.WithUserAgent(o.UserAgent))
	}
	return s, nil
}

// isNamed says whether the user named a host, HOST:PORT, for the credentials.
func (s *Session) isNamed(target string) bool {
	host, _, err := net.SplitHostPort(target)
	return err == nil && slices.ContainsFunc(s.authHosts, func(named string) bool {
		return strings.EqualFold(named, host) || strings.EqualFold(named, target)
	})
}

func newRegistry(host string, insecure bool) (name.Registry, error) {
	var options []name.Option
	if insecure {
		options = append(options, name.Insecure)
	}
	registry, err := name.NewRegistry(host, options...)
	if err != nil {
		return name.Registry{}, fail.Invalidf("%q is not a registry host", host)
	}
	return registry, nil
}

// Close gives back the idle connections.
func (s *Session) Close() { s.tcp.CloseIdleConnections() }

func newTransport(o Access, n *network) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:               n.guard.Proxy,
		DialContext:         n.dial,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: ConcurrentRequests,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	if o.Insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // what Access.Insecure asks for
	}
	if o.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fail.Invalid(err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without any
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fail.Invalidf("file %q holds no certificate in PEM form", o.CAFile)
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.RootCAs = roots
	return t, nil
}

// authenticate finds the credentials and notes what must be kept secret.
func (s *Session) authenticate(ctx context.Context, creds string) (authn.Authenticator, error) {
	if creds != "" {
		user, password, ok := strings.Cut(creds, ":")
		if !ok || user == "" {
			return nil, fail.Invalidf("the credentials are not of the form USER:PASSWORD")
		}
		return s.know(authn.AuthConfig{Username: user, Password: password}), nil
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, s.Repo)
	if err != nil {
		return nil, &CredentialsError{Host: s.Repo.RegistryStr(), Reason: s.Clean(err.Error())}
	}
	if auth == authn.Anonymous {
		return auth, nil
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return nil, fmt.Errorf("credentials for %s: %s", s.Repo.RegistryStr(), s.Clean(err.Error()))
	}
	return s.know(*config), nil
}

func (s *Session) know(config authn.AuthConfig) authn.Authenticator {
	s.loggedIn = true
	basic := base64.StdEncoding.EncodeToString([]byte(config.Username + ":" + config.Password))
	for _, secret := range []string{basic, config.Auth, config.Password, config.IdentityToken, config.RegistryToken} {
		if secret != "" {
			s.secrets = append(s.secrets, secret)
		}
	}
	return authn.FromConfig(config)
}

// WithContext returns the options of the session for a call of the library that
// takes no context by itself.
func (s *Session) WithContext(ctx context.Context) []remote.Option {
	return append(slices.Clip(s.Remote), remote.WithContext(ctx))
}
