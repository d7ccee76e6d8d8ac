package config

import (
	"errors"
	"fmt"
	"net/netip"

	"laurel/internal/clientip"
)

// Sockets bounds what clients of live views may take. 0 is a default, which docs/PROTOCOL.md names.
type Sockets struct {
	WSConnections       int      `name:"ws-connections" placeholder:"N" help:"WebSocket connections of this node (0: 10,000)."`
	WSConnectionsPerIP  int      `name:"ws-connections-per-ip" placeholder:"N" help:"WebSocket connections of one address, or IPv6 /64 (0: 1,000). Loopback has no limit."`
	WSConnectionsPerKey int      `name:"ws-connections-per-key" placeholder:"N" help:"WebSocket connections with one key and the tokens that it made (0: as many as the node has)."`
	WSHandshakes        int      `name:"ws-handshakes-per-second" placeholder:"N" help:"WebSocket handshakes of one address a second, and ten times as many at once (0: 20). Loopback has no limit."`
	WSMessages          int      `name:"ws-messages-per-second" placeholder:"N" help:"Messages that a WebSocket client may send a second, and ten times as many at once (0: 20)."`
	WSMessageBytes      int      `name:"ws-message-bytes" placeholder:"BYTES" help:"Length of a message that a WebSocket client sends (0: 16,384)."`
	WSSubscriptions     int      `name:"ws-subscriptions" placeholder:"N" help:"Subscriptions of one WebSocket connection (0: 64)."`
	TrustedProxies      []string `placeholder:"CIDR" help:"Addresses of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8 (repeatable, or separated by commas; none by default)."`
}

// Validate reports every limit that cannot work.
func (s *Sockets) Validate() error {
	var errs []error
	for flag, n := range map[string]int{"ws-connections": s.WSConnections, "ws-connections-per-ip": s.WSConnectionsPerIP, "ws-connections-per-key": s.WSConnectionsPerKey,
		"ws-handshakes-per-second": s.WSHandshakes, "ws-messages-per-second": s.WSMessages, "ws-message-bytes": s.WSMessageBytes, "ws-subscriptions": s.WSSubscriptions} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("--%s: %d is negative", flag, n))
		}
	}
	if s.WSMessageBytes != 0 && s.WSMessageBytes < minMessage {
		errs = append(errs, fmt.Errorf("--ws-message-bytes: %d is too short for a hello with a signed token (%d)", s.WSMessageBytes, minMessage))
	}
	for _, text := range s.TrustedProxies {
		if _, err := clientip.ParsePrefix(text); err != nil {
			errs = append(errs, fmt.Errorf("--trusted-proxies: %q is neither an address nor a range such as 10.0.0.0/8", text))
		}
	}
	return errors.Join(errs...)
}

const minMessage = 9 << 10

// Proxies are the trusted ones. What Validate refuses is not among them.
func (s *Sockets) Proxies() (list []netip.Prefix) {
	for _, text := range s.TrustedProxies {
		if p, err := clientip.ParsePrefix(text); err == nil {
			list = append(list, p)
		}
	}
	return list
}
