// SPDX-License-Identifier: Apache-2.0

// Package download reads files over https within bounds: of size, of time, of
// redirects, and of the network, so that a URL from a foreign file cannot
// make this machine ask another one inside the network that it is in.
package download

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// The reasons for which a download is refused or ends.
var (
	errNotHTTPS = errors.New("only https is allowed")
	ErrPrivate  = errors.New("the address is private")
	errTooLarge = errors.New("the answer is too large")
)

const (
	defaultLimit   = 32 << 20
	defaultTimeout = time.Minute
	maxRedirects   = 5
)

// Options say how a file is downloaded. The zero value works.
type Options struct {
	Limit        int64         // of bytes, 32 MiB when zero
	Timeout      time.Duration // of the whole, a minute when zero
	AllowPrivate bool          // addresses of this machine and of private networks
	Roots        *x509.CertPool
	UserAgent    string
}

// IsURL says whether a name that a user gave for a file is a URL.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

// Get returns what is at an https URL. Errors name the URL as mask.URL does and
// wrap ErrPrivate where that is the reason.
func Get(ctx context.Context, address string, o Options) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%s: the URL cannot be read", mask.URL(address)) // the error has all of it
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Timeout, defaultTimeout))
	defer cancel()
	data, err := get(ctx, u, o)
	if err != nil {
		// The library's own error repeats the URL.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("%s: %w", mask.URL(address), err)
	}
	return data, nil
}

func get(ctx context.Context, u *url.URL, o Options) ([]byte, error) {
	if u.Scheme != "https" {
		return nil, errNotHTTPS
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if o.UserAgent != "" {
		req.Header.Set("User-Agent", o.UserAgent)
	}
	transport := newTransport(o)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	limit := cmp.Or(o.Limit, defaultLimit)
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return data, err
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" {
		return fmt.Errorf("the server redirects to %s: %w", mask.URL(req.URL.String()), errNotHTTPS)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("the server redirects more than %d times", maxRedirects)
	}
	return nil
}

// newTransport returns a transport that connects to public addresses only,
// unless the options allow others.
func newTransport(o Options) *http.Transport {
	guard := &Guard{Check: func(_ string, ip netip.Addr) error {
		if IsPrivate(ip) && !o.AllowPrivate {
			return ErrPrivate
		}
		return nil
	}}
	return &http.Transport{
		Proxy:                  guard.Proxy,
		DialContext:            guard.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
}

// IsPrivate says whether an address is anything but a public one. An IPv6
// address that carries an IPv4 address is judged by that.
func IsPrivate(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, prefix := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"64:ff9b:1::/48", "2002::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(prefix).Contains(ip) {
			return true
		}
	}
	return !ip.IsGlobalUnicast() || ip.IsPrivate()
}
