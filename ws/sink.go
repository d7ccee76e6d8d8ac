package ws

import (
	"bytes"
	"time"

	"github.com/gorilla/websocket"
)

// sink is the sending half of a connection. The connection's writer decides what is sent, and when; a sink only knows the form: frames of a WebSocket, or the
// events of a stream. Only the writer calls it, but for sever.
type sink interface {
	// begin appends what stands before a message, of which there are n in b already.
	begin(b []byte, n int, h head) []byte
	// seal ends n messages and returns what to write.
	seal(b []byte, n int) []byte
	// farewell says why the connection ends.
	farewell(code CloseCode) []byte
	// offer writes as much as goes without waiting and returns the rest, for write.
	offer(b []byte) (rest []byte, err error)
	// write writes all of it, and waits for that no longer than patience.
	write(b []byte, patience time.Duration) error
	// direct says whether a write that had to wait shows that the client reads.
	direct() bool
	// over is called behind the farewell: nothing more is written.
	over()
	// sever cuts off, also a write that is stuck. It may be called often, by anyone.
	sever()
}

// head is what a sink is told of a message.
type head struct {
	kind  string
	at    position // that the client holds once it has the message; zero: the one it had
	retry int64    // ms after which the client is asked to come back; 0: not said
}

func (e *edition) head(kind string) head { return head{kind: kind, at: position{e.epoch, e.seq}} }

// typeOf is the type of a message of this package, which all begin with it.
func typeOf(message []byte) string {
	kind, _, _ := bytes.Cut(bytes.TrimPrefix(message, []byte(`{"type":"`)), []byte(`"`))
	return string(kind)
}

// frames is the sink of a WebSocket: messages that are gathered are one WebSocket message, the message itself or an array of several.
type frames struct {
	socket
	ws *websocket.Conn
}

// begin leaves room for the header and '['.
func (f *frames) begin(b []byte, n int, _ head) []byte {
	if n == 0 {
		return append(append(b[:0], make([]byte, maxHeader)...), '[')
	}
	return append(b, ',')
}

func (f *frames) seal(b []byte, n int) []byte {
	start := maxHeader + 1
	if n > 1 {
		b = append(b, ']')
		start--
	}
	var room [maxHeader]byte
	header := appendHeader(room[:0], websocket.TextMessage, len(b)-start)
	start -= len(header)
	copy(b[start:], header)
	return b[start:]
}

func (f *frames) farewell(code CloseCode) []byte { return closeFrame(int(code), code.String()) }

func (f *frames) direct() bool { return f.raw != nil }

// over gives the client a moment for its close frame, which the reader waits for.
func (f *frames) over() {
	_ = f.ws.SetReadDeadline(time.Now().Add(closeWait)) // fails only on a closed socket, which the reader notices
}

func (f *frames) sever() { _ = f.ws.NetConn().Close() }
