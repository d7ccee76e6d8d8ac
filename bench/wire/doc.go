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

// Dial opens n connections to a TCP address, each made into an Exchanger.
func Dial(ctx context.Context, address string, n int, as func(net.Conn) Exchanger) ([]Exchanger, error) {
	conns := make([]Exchanger, 0, n)
	for range n {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			CloseAll(conns)
			return nil, err
		}
		conns = append(conns, as(c))
	}
	return conns, nil
}

// CloseAll closes connections. That they are idle or broken by then is no error.
func CloseAll(conns []Exchanger) {
	for _, c := range conns {
		c.Close()
	}
}
