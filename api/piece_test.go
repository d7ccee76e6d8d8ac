package api

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// pair is a connection that can hold, and the client's end of it.
func pair(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := Listener(raw)
	t.Cleanup(func() { l.Close() })
	client, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	t.Cleanup(func() { client.Close() })
	server, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { server.Close() })
	return server.(*conn), client
}

// What is held goes out at its release, in order, and what is too much for that at once.
func TestConn_HoldsUntilReleased(t *testing.T) {
	c, client := pair(t)
	for _, sizes := range [][]int{{1}, {4096, 100}, {4096, mostHeld - 4096}, {4096, mostHeld}, {mostHeld + 1, 5}, {}} {
		var want []byte
		c.hold()
		for i, n := range sizes {
			some := bytes.Repeat([]byte{byte('a' + i)}, n)
			want = append(want, some...)
			if wrote, err := c.Write(some); wrote != n || err != nil {
				t.Fatalf("%v: wrote %d, %v", sizes, wrote, err)
			}
		}
		if whole := len(want) <= mostHeld; whole != (c.held != nil && len(*c.held) == len(want)) {
			t.Errorf("%v: held in one piece: %v, want %v", sizes, !whole, whole)
		}
		must(t, c.release())
		got := make([]byte, len(want))
		must(t, client.SetReadDeadline(time.Now().Add(10*time.Second)))
		if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: the client has something else: %v", sizes, err)
		}
	}
}

// Answers of any length arrive as they are, one after another on one connection, and streams that are flushed in the middle too.
func TestListener_AnswersOfAnyLength(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{ConnContext: ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.RawQuery)
		if c, ok := r.Context().Value(connKey{}).(*conn); err != nil || !ok || c.held != nil {
			t.Errorf("the connection does not hold, or still does: %v", err)
		}
		_ = writeBytes(&recorder{ResponseWriter: w, ctx: r.Context()}, http.StatusOK, bytes.Repeat([]byte{byte('a' + n%26)}, n))
	})}
	go func() { _ = server.Serve(Listener(raw)) }()
	t.Cleanup(func() { server.Close() })
	sizes := []int{0, 1, leastHeld, leastHeld + 1, 3800, 4095, 4096, 4097, 8192, mostHeld - 200, mostHeld, mostHeld + 4096, 1 << 20}
	for _, n := range sizes {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			request, err := http.NewRequestWithContext(t.Context(), method, "http://"+raw.Addr().String()+"/?"+strconv.Itoa(n), nil)
			must(t, err)
			got, err := http.DefaultClient.Do(request)
			must(t, err)
			body, err := io.ReadAll(got.Body)
			must(t, err)
			got.Body.Close()
			want := n
			if method == http.MethodHead {
				want = 0
			}
			if len(body) != want || len(bytes.Trim(body, string(rune('a'+n%26)))) > 0 || got.ContentLength != int64(n) {
				t.Errorf("%s of %d bytes: %d bytes came, announced as %d", method, n, len(body), got.ContentLength)
			}
		}
	}
}
