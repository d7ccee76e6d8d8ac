// Package clientip tells whose request it is, for limits of an address and for logs.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwarded is the header to which each proxy appends the address that it was called from.
const forwarded = "X-Forwarded-For"

// Resolver finds the address of a client behind proxies that are trusted. The zero value trusts none, and takes the peer's.
type Resolver struct {
	// Trusted are the proxies' addresses. What anyone else writes into X-Forwarded-For is not looked at.
	Trusted []netip.Prefix
}

// Of returns the client's address: the peer's or, as long as that is a trusted proxy's, the one that it was called from, read from the right, as everything to
// the left is the client's own claim. An IPv6 address stands for its /64, of which one client has every address. It is "" for this machine (a proxy in
// front that is not trusted, or a test): to count those together would bound nobody.
func (r Resolver) Of(request *http.Request) string {
	at, ok := parse(request.RemoteAddr)
	if !ok {
		return "" // a Unix socket
	}
	hops := strings.Split(strings.Join(request.Header.Values(forwarded), ","), ",")
	for i := len(hops) - 1; i >= 0 && r.trusts(at); i-- {
		before, ok := parse(strings.TrimSpace(hops[i]))
		if !ok {
			break // no address: the proxy that vouches for it is all that is known
		}
		at = before
	}
	return name(at)
}

func (r Resolver) trusts(at netip.Addr) bool {
	return slices.ContainsFunc(r.Trusted, func(p netip.Prefix) bool { return p.Contains(at) })
}

// parse reads an address, which may have a port.
func parse(s string) (netip.Addr, bool) {
	at, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		at = withPort.Addr()
	}
	return at.Unmap().WithZone(""), true
}

func name(at netip.Addr) string {
	switch {
	case at.IsLoopback():
		return ""
	case at.Is4():
		return at.String()
	}
	return netip.PrefixFrom(at, 64).Masked().String()
}

// ParsePrefix reads a range of addresses in CIDR form, or one address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if at, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(at, at.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
