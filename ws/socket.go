package ws

import (
	"context"
	"encoding/binary"
	"net"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// socket is the sending half of a connection. Everything that is sent goes through it, by whoever is the connection's writer at the time; the library that
// upgraded the connection only reads it. So a frame that is shared by thousands is written as it is, without a copy, and where the kernel takes
// it at once, as it nearly always does, without a deadline to set and without a goroutine that could wait.
type socket struct {
	conn net.Conn
	raw  syscall.RawConn // nil where the connection is none of the kernel's, as under TLS
}

func newSocket(c net.Conn) socket {
	s := socket{conn: c}
	if direct, ok := c.(syscall.Conn); ok {
		if raw, err := direct.SyscallConn(); err == nil {
			s.raw = raw
			limitUnsent(raw)
		}
	}
	return s
}

type connKey struct{}

// ConnContext is for http.Server.ConnContext of a server whose Handler has streams: so the kernel is told to hold as little of them as of WebSockets.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// limitStream bounds what the kernel holds of an answer, where ConnContext has told the connection.
func limitStream(ctx context.Context) {
	if c, told := ctx.Value(connKey{}).(net.Conn); told {
		newSocket(c)
	}
}

// maxUnsent is what the kernel may hold of a connection beside what is on its way to the client. Enough for what a tick brings most of them.
const maxUnsent = 4 << 10

// offer writes as much as the kernel takes now and returns the rest, for write.
func (s *socket) offer(b []byte) (rest []byte, err error) {
	if s.raw == nil {
		return b, nil
	}
	var n int
	var failed error
	err = s.raw.Write(func(fd uintptr) bool {
		n, failed = syscall.Write(int(fd), b)
		return true // also where it would block: waiting is write's
	})
	switch {
	case err != nil:
		return nil, err
	case failed == syscall.EAGAIN || failed == syscall.EINTR:
		return b, nil
	case failed != nil:
		return nil, failed
	}
	return b[n:], nil
}

// write writes all of it, and waits for that no longer than patience.
func (s *socket) write(b []byte, patience time.Duration) error {
	rest, err := s.offer(b)
	if err != nil || len(rest) == 0 {
		return err
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = s.conn.Write(rest)
	return err
}

// maxHeader is the longest header of a server's frame.
const maxHeader = 10

// appendHeader appends the header of an unmasked frame that is a whole message (RFC 6455, section 5.2).
func appendHeader(b []byte, opcode, length int) []byte {
	b = append(b, 0x80|byte(opcode))
	switch {
	case length < 126:
		return append(b, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(length))
	}
}

// appendFrame appends a frame.
func appendFrame(b []byte, opcode int, payload []byte) []byte {
	return append(appendHeader(b, opcode, len(payload)), payload...)
}

func closeFrame(code int, reason string) []byte {
	return appendFrame(nil, websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
}
