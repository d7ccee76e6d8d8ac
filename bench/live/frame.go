//go:build linux

package live

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455 that a server of this protocol sends.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
)

var errFragmented = errors.New("the server sent a fragmented message")

// frame cuts the first WebSocket frame off b. ok is false where b does not hold all of it yet.
func frame(b []byte) (op byte, payload, rest []byte, ok bool, err error) {
	if len(b) < 2 {
		return 0, nil, b, false, nil
	}
	if b[0]&0x80 == 0 {
		return 0, nil, b, false, errFragmented
	}
	head, n := 2, uint64(b[1]&0x7f)
	switch n {
	case 126:
		if head = 4; len(b) < head {
			return 0, nil, b, false, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return 0, nil, b, false, nil
		}
		n = binary.BigEndian.Uint64(b[2:])
	}
	if uint64(len(b)-head) < n {
		return 0, nil, b, false, nil
	}
	end := head + int(n)
	return b[0] & 0x0f, b[head:end], b[end:], true, nil
}

// appendFrame appends a client's text frame. Its mask is zero, which leaves the payload as it is: the mask protects proxies, of which there are none.
func appendFrame(b, payload []byte) []byte {
	b = append(b, 0x80|opText)
	if n := len(payload); n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// closeError is what a server's close frame says.
func closeError(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("the server closed the connection")
	}
	return fmt.Errorf("the server closed the connection: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
}
