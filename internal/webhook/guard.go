package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errNotPublic says that a name leads to an address of the operator's own network.
var errNotPublic = errors.New("the address is not public")

// reserved are the networks that netip.Addr's own questions do not name, and that are no target all the same (RFC 6890 and its registries). Those that have an
// address of IPv4 in one of IPv6 are refused as a whole: nobody publishes a receiver under them.
func reserved() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// public says whether an address is one that anybody may be asked to call.
func public(a netip.Addr, reserved []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// guard refuses to dial what is not public. It is called after resolution with the very address that is dialled, so no second answer of a name server can
// lead elsewhere.
func guard(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !public(to.Addr(), reserved()) {
		return errNotPublic
	}
	return nil
}

// newClient makes what sends: no redirects, no proxy (it would be dialled in the target's place), nothing unpacked.
func newClient(o *Options) *http.Client {
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: time.Minute, Resolver: o.Resolver}
	if !o.AllowPrivate {
		dialer.ControlContext = guard
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: 16 << 10, DisableCompression: true, MaxConnsPerHost: o.Requests, MaxIdleConnsPerHost: lanes, MaxIdleConns: o.Requests,
			IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
