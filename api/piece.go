package api

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// net/http hands an answer to the kernel in pieces of its buffer, 4 KiB: a page of fifty rows as two, each of which is a system call, a segment and a wake-up of
// who reads. So the connections of clients can hold what is written until the answer is whole. Only writeBytes makes them do so, around one answer whose length it
// knows.

const (
	leastHeld = 3 << 10  // a body below it fits into net/http's buffer, with its headers
	mostHeld  = 64 << 10 // of an answer; what is longer is written as it comes
)

// Listener makes connections that can send an answer in one piece. The server that serves it needs ConnContext too; without either, answers are sent in
// pieces.
func Listener(l net.Listener) net.Listener { return &pieces{Listener: l} }

type pieces struct {
	net.Listener
	held sync.Pool // of *[]byte
}

// Accept implements net.Listener.
func (p *pieces) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp, pool: &p.held}, nil
	}
	return c, err
}

type connKey struct{}

// ConnContext is http.Server.ConnContext: answers find the connection that they go to by it.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if held, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, held)
	}
	return ctx
}

// conn is a connection whose writes can be held. Only the goroutine that answers a request writes to it, as net/http has it.
type conn struct {
	*net.TCPConn
	pool *sync.Pool
	held *[]byte // nil: what is written goes out at once
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	if c.held == nil {
		return c.TCPConn.Write(b)
	}
	if len(*c.held)+len(b) <= mostHeld {
		*c.held = append(*c.held, b...)
		return len(b), nil
	}
	if err := c.release(); err != nil {
		return 0, err
	}
	return c.TCPConn.Write(b)
}

func (c *conn) hold() {
	if c.held, _ = c.pool.Get().(*[]byte); c.held == nil {
		c.held = new([]byte)
	}
}

// release sends what was held. It does nothing on a connection that holds nothing.
func (c *conn) release() (err error) {
	held := c.held
	if held == nil {
		return nil
	}
	if c.held = nil; len(*held) > 0 {
		_, err = c.TCPConn.Write(*held)
	}
	*held = (*held)[:0]
	c.pool.Put(held)
	return err
}

// writeWhole writes a body of a length that is announced. Flush makes net/http give away all of the answer while the connection holds it.
func (w *recorder) writeWhole(b []byte) {
	c, ok := w.ctx.Value(connKey{}).(*conn)
	if !ok {
		_, _ = w.Write(b)
		return
	}
	c.hold()
	if _, err := w.Write(b); err == nil {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
	_ = c.release()
}
