package wire

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
)

// Command appends a Redis command.
func Command(b []byte, args ...string) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(len(args)), 10)
	b = append(b, "\r\n"...)
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, "\r\n"...)
		b = append(b, a...)
		b = append(b, "\r\n"...)
	}
	return b
}

// Lines of an answer in Redis's protocol.
const (
	LinesOfInteger = 1 // ZREVRANK
	LinesOfBulk    = 2 // ZINCRBY
)

// respConn counts lines instead of parsing: what is measured is Redis.
type respConn struct {
	conn  net.Conn
	lines int
	buf   []byte
}

// NewRESP makes an Exchanger for pipelines whose answers have so many lines together, none of them an error, a nil or a negative number.
func NewRESP(lines int) func(net.Conn) Exchanger {
	return func(c net.Conn) Exchanger { return &respConn{conn: c, lines: lines, buf: make([]byte, 16<<10)} }
}

// Close implements Exchanger.
func (c *respConn) Close() error { return c.conn.Close() }

// Exchange implements Exchanger.
func (c *respConn) Exchange(request []byte) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	end := 0
	for lines := 0; lines < c.lines; {
		if end == len(c.buf) {
			c.buf = append(c.buf, make([]byte, len(c.buf))...)
		}
		n, err := c.conn.Read(c.buf[end:])
		if err != nil {
			return nil, err
		}
		chunk := c.buf[end : end+n]
		end += n
		if bytes.IndexByte(chunk, '-') >= 0 { // an error is "-ERR …", a nil "$-1": both have fewer lines than are waited for
			return nil, fmt.Errorf("redis answered %.100q", c.buf[:end])
		}
		lines += bytes.Count(chunk, []byte{'\n'})
	}
	return c.buf[:end], nil
}
