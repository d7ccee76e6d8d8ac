// Package wire is the clients of the benchmark: HTTP/1.1 and Redis over connections that stay open, with requests that were encoded before the
// clock started. They do as little as a client can, because they run on the machine that they measure: what a client burns
// hides what the server costs.
package wire

import (
	"context"
	"net"
)

// Exchanger sends a request and reads its answer. It is for one goroutine at a time; the answer is valid until the next call.
type Exchanger interface {
	Exchange(request []byte) (answer []byte, err error)
	Close() error
}

// Target is where to connect, how often, and what is spoken there.
type Target struct {
	Address     string // TCP
	Connections int
	As          func(net.Conn) Exchanger
}

// Dial opens the connections.
func (t *Target) Dial(ctx context.Context) ([]Exchanger, error) {
	conns := make([]Exchanger, 0, t.Connections)
	for range t.Connections {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
		if err != nil {
			CloseAll(conns)
			return nil, err
		}
		conns = append(conns, t.As(c))
	}
	return conns, nil
}

// CloseAll closes connections. That they are idle or broken by then is no error.
func CloseAll(conns []Exchanger) {
	for _, c := range conns {
		c.Close()
	}
}
