package ws

import (
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// signOfLife is a comment: no event to the client, and traffic to the proxies between.
var signOfLife = []byte(":\n\n")

// stream is the sink of an answer in Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): an event for each message, named by its type.
// It never hijacks, so it works wherever http.Server and the handlers before it can flush.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	done    chan struct{} // closed: nothing more is written
	left    chan struct{} // closed: the handler has taken the connection down

	mu    sync.Mutex
	ended bool // done is closed
	cut   bool // severed: the deadline has passed for good
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w: w, control: http.NewResponseController(w), done: make(chan struct{}), left: make(chan struct{})}
}

// begin writes the fields before the data. A message is one line, as JSON of this package has no line ends.
func (s *stream) begin(b []byte, n int, h head) []byte {
	if n > 0 {
		b = append(b, "\n\n"...)
	}
	if h.retry > 0 {
		b = append(strconv.AppendInt(append(b, "retry: "...), h.retry, 10), '\n')
	}
	if h.at.Epoch != "" {
		b = append(append(append(b, "id: "...), h.at.Epoch...), '.')
		b = append(strconv.AppendUint(b, h.at.Seq, 10), '\n')
	}
	b = append(append(b, "event: "...), h.kind...)
	return append(b, "\ndata: "...)
}

func (s *stream) seal(b []byte, _ int) []byte { return append(b, "\n\n"...) }

// farewell is an event in place of the close frame that streams lack.
func (s *stream) farewell(code CloseCode) []byte {
	b := strconv.AppendInt([]byte("event: close\ndata: {\"type\":\"close\",\"code\":"), int64(code), 10)
	return append(append(append(b, `,"reason":"`...), code.String()...), "\"}\n\n"...)
}

// offer takes nothing: http.ResponseWriter cannot write a part without waiting.
func (s *stream) offer(b []byte) ([]byte, error) { return b, nil }

func (s *stream) write(b []byte, patience time.Duration) error {
	s.mu.Lock()
	err := os.ErrClosed
	if !s.cut {
		err = s.control.SetWriteDeadline(time.Now().Add(patience))
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *stream) direct() bool { return false }

func (s *stream) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked()
}

func (s *stream) endLocked() {
	if !s.ended {
		s.ended = true
		close(s.done)
	}
}

// sever ends a write that waits. Behind a farewell there is none, and the answer may end well.
func (s *stream) sever() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.cut = true
		_ = s.control.SetWriteDeadline(time.Unix(1, 0)) // fails only where the connection is gone
		s.endLocked()
	}
}

// firstRetry is the least, and half the most, that a browser waits to come back when a stream breaks off. It also undoes what a drain told it.
const firstRetry = time.Second

// open begins the answer. The last write leaves a deadline behind, so the TCP connection is not used again.
func (s *stream) open(patience time.Duration) error {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no") // nginx would collect what is sent
	s.w.WriteHeader(http.StatusOK)
	retry := (firstRetry + mathrand.N(firstRetry)).Milliseconds()
	return s.write([]byte("retry: "+strconv.FormatInt(retry, 10)+"\n\n"), patience)
}
