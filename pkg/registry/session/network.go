// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/download"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// network decides which addresses a session connects to. A registry with a
// public address may not lead to private ones, such as that of a cloud's
// metadata: neither with a redirect, nor with the address of its token server,
// nor with another answer of its own name server.
type network struct {
	guard    download.Guard
	registry string
	own      map[string]bool // the registry's targets, HOST:PORT
	isNamed  func(target string) bool
	private  func(netip.Addr) bool

	mutex sync.Mutex
	// connected: a connection to the registry was made; public: one of them
	// was to a public address. A proxy's does not count.
	connected, public bool
}

func newNetwork(registry string, private func(netip.Addr) bool, isNamed func(target string) bool) *network {
	n := &network{registry: registry, own: map[string]bool{}, isNamed: isNamed, private: private}
	if n.private == nil {
		n.private = download.IsPrivate
	}
	for _, scheme := range []string{"https", "http"} {
		n.own[download.Address(&url.URL{Scheme: scheme, Host: registry})] = true
	}
	n.guard.Check = n.check
	return n
}

// dial connects to target, HOST:PORT.
func (n *network) dial(ctx context.Context, network, target string) (net.Conn, error) {
	conn, err := n.guard.DialContext(ctx, network, target)
	if err != nil || !n.own[target] {
		return conn, err
	}
	if address, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		n.mutex.Lock()
		n.connected, n.public = true, n.public || !n.private(address.Addr())
		n.mutex.Unlock()
	}
	return conn, nil
}

// check is that of download.Guard.
func (n *network) check(target string, ip netip.Addr) error {
	if !n.private(ip) || n.isNamed(target) || n.mayLeadInside(target) {
		return nil
	}
	host, _, _ := net.SplitHostPort(target)
	return guarded{fail.Refusedf("registry %s leads to %q, which has an address within a private network", n.registry, host)}
}

// mayLeadInside says whether a private address is allowed for a target: for the
// registry itself at the first contact, and for all when it is private itself.
func (n *network) mayLeadInside(target string) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.connected {
		return !n.public
	}
	// Through a proxy the registry's address is known only when it is typed.
	ip, err := netip.ParseAddr(hostOf(n.registry))
	return n.own[target] || err == nil && n.private(ip)
}

// hostOf returns the host of HOST[:PORT], without brackets.
func hostOf(registry string) string { return (&url.URL{Host: registry}).Hostname() }

// sameDomain says whether two hosts belong to one registrable domain, by the
// public suffix list.
func sameDomain(a, b string) bool {
	domain := func(host string) string {
		if _, err := netip.ParseAddr(host); err == nil {
			return ""
		}
		name, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(strings.TrimSuffix(host, ".")))
		if err != nil {
			return ""
		}
		return name
	}
	return domain(a) != "" && domain(a) == domain(b)
}

// isTokenServer says whether host is the token server, in another domain, of a
// public registry. docs/publish.md has the list too.
func isTokenServer(registry, host string) bool {
	servers := map[string][]string{
		"index.docker.io":         {"auth.docker.io"},
		"registry-1.docker.io":    {"auth.docker.io"},
		"registry.hub.docker.com": {"auth.docker.io"},
		"registry.gitlab.com":     {"gitlab.com"},
		"docker.elastic.co":       {"docker-auth.elastic.co"},
		"registry.redhat.io":      {"sso.redhat.com"},
	}
	return slices.Contains(servers[strings.ToLower(registry)], strings.ToLower(host))
}
