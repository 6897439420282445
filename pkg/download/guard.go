// SPDX-License-Identifier: Apache-2.0

package download

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Guard gives a transport its Proxy and its DialContext. Each address is
// checked right before the connection, after the name was resolved: a name of a
// private address is found, and a second answer of the resolver cannot differ.
type Guard struct {
	// Check returns an error for an address that target, HOST:PORT, must not be
	// reached at.
	Check func(target string, ip netip.Addr) error

	proxies sync.Map
}

// Proxy returns the proxy for a request. A proxy is the environment's choice,
// and often a private address. It judges what it connects to, except for
// addresses in the URL.
func (g *Guard) Proxy(req *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if proxy == nil || err != nil {
		return proxy, err
	}
	if ip, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
		if err = g.Check(Address(req.URL), ip); err != nil {
			return nil, err
		}
	}
	g.proxies.Store(Address(proxy), true)
	return proxy, nil
}

// DialContext connects to target, HOST:PORT.
func (g *Guard) DialContext(ctx context.Context, network, target string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if _, isProxy := g.proxies.Load(target); !isProxy {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return g.Check(target, ap.Addr())
		}
	}
	return dialer.DialContext(ctx, network, target)
}

// Address returns HOST:PORT of a URL, with the port of its scheme where it
// names none.
func Address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
