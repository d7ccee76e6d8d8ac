package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// Get encodes a GET with a key.
func Get(path, key string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", path, key)
}

// Post encodes a POST with a key.
func Post(path, key, contentType string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		path, key, contentType, len(body))
	return append([]byte(head), body...)
}

// httpConn speaks as much HTTP/1.1 as Laurel's answers need: a status, headers, a body of a length that is said.
type httpConn struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

// NewHTTP makes an Exchanger for requests that Get and Post encode. Its answers are bodies; a status other than 2xx is an error.
func NewHTTP(c net.Conn) Exchanger {
	return &httpConn{conn: c, in: bufio.NewReaderSize(c, 16<<10)}
}

// Close implements Exchanger.
func (c *httpConn) Close() error { return c.conn.Close() }

var errNotHTTP = errors.New("the answer is not HTTP/1.1")

// Exchange implements Exchanger.
func (c *httpConn) Exchange(request []byte) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return nil, errNotHTTP
	}
	status := [3]byte(line[9:12]) // the line is gone with the next read
	length, err := c.headers()
	if err != nil {
		return nil, err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return nil, err
	}
	if status[0] != '2' {
		return nil, fmt.Errorf("status %s: %.300s", status[:], c.body)
	}
	return c.body, nil
}

const contentLength = "content-length:"

// headers reads to the empty line and returns the body's length.
func (c *httpConn) headers() (int, error) {
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if n := len(contentLength); len(line) > n && bytes.EqualFold(line[:n], []byte(contentLength)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil || length < 0 {
				return 0, errNotHTTP
			}
		}
	}
	if length < 0 {
		return 0, errors.New("the answer does not say its length")
	}
	return length, nil
}
