package wire

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/testenv"
)

// listen serves each connection with handle until the test ends.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, address string, n int, as func(net.Conn) Exchanger) []Exchanger {
	t.Helper()
	conns, err := (&Target{address, n, as}).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CloseAll(conns) })
	return conns
}

func TestHTTP_RealServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/gone" {
			http.Error(w, "no such thing", http.StatusNotFound)
			return
		}
		io.WriteString(w, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}, "|"))
	}))
	defer server.Close()
	c := dial(t, server.Listener.Addr().String(), 1, NewHTTP)[0]
	for request, want := range map[string]string{
		string(Get("/a", "k")):                                 "GET|/a|Bearer k||",
		string(Post("/b", "k", "text/plain", []byte("hello"))): "POST|/b|Bearer k|text/plain|hello",
	} {
		answer, err := c.Exchange([]byte(request))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(answer)); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := c.Exchange(Get("/gone", "k")); err == nil || !strings.Contains(err.Error(), "404: no such thing") {
		t.Errorf("a 404 gave %v", err)
	}
	if _, err := c.Exchange(Get("/a", "k")); err != nil {
		t.Errorf("the connection is not usable after a 404: %v", err)
	}
}

func TestHTTP_RefusesWhatItCannotRead(t *testing.T) {
	for _, answer := range []string{
		"SSH-2.0-OpenSSH\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		c := dial(t, listen(t, func(c net.Conn) { io.WriteString(c, answer) }), 1, NewHTTP)[0]
		if got, err := c.Exchange(Get("/", "k")); err == nil {
			t.Errorf("%q was read as %q", answer, got)
		}
	}
}

func TestRESP_RealServer(t *testing.T) {
	server := testenv.StartRedis(t)
	var pipeline []byte
	for _, user := range []string{"a", "b", "b"} {
		pipeline = Command(pipeline, "ZINCRBY", "board", "5", user)
	}
	answer, err := dial(t, server.Addr, 1, NewRESP(3*LinesOfBulk))[0].Exchange(pipeline)
	if diff := cmp.Diff("$1\r\n5\r\n$1\r\n5\r\n$2\r\n10\r\n", string(answer)); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	one := dial(t, server.Addr, 1, NewRESP(LinesOfInteger))[0]
	answer, err = one.Exchange(Command(nil, "ZREVRANK", "board", "a"))
	if diff := cmp.Diff(":1\r\n", string(answer)); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	for _, args := range [][]string{{"ZREVRANK", "board", "nobody"}, {"NOSUCHCOMMAND"}} {
		if answer, err := one.Exchange(Command(nil, args...)); err == nil {
			t.Errorf("%v was answered %q without an error", args, answer)
		}
	}
}

// echo answers each line with itself.
func echo(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		c.Write(line)
	}
}

func TestDrive_DoesEachExchangeOnce(t *testing.T) {
	conns := dial(t, listen(t, echo), 3, NewRESP(1))
	var seen [2]atomic.Int64
	count, err := Drive(t.Context(), conns, Work{Requests: [][]byte{{'0', '\n'}, {'1', '\n'}}, Times: 101, Check: func(answer []byte) error {
		seen[answer[0]-'0'].Add(1)
		return nil
	}})
	if err != nil || count.Exchanges != 101 || seen[0].Load() != 51 || seen[1].Load() != 50 {
		t.Errorf("%+v, %v; seen %d and %d", count, err, seen[0].Load(), seen[1].Load())
	}
	again, err := Drive(t.Context(), conns, Work{Requests: [][]byte{{'0', '\n'}}, Times: 1})
	if err != nil || again.Exchanges != 1 {
		t.Errorf("connections are not usable again: %+v, %v", again, err)
	}
}

func TestDrive_EndsByTime(t *testing.T) {
	conns := dial(t, listen(t, echo), 2, NewRESP(1))
	exchanges := 0
	for d := 20 * time.Millisecond; exchanges == 0 && d < patience; d *= 2 { // on a busy machine the time may be over before anything began
		count, err := Drive(t.Context(), conns, Work{Requests: [][]byte{{'0', '\n'}}, For: d})
		if err != nil || count.Elapsed < d {
			t.Fatalf("%+v, %v", count, err)
		}
		exchanges = count.Exchanges
	}
	if exchanges == 0 {
		t.Error("nothing was done in any time")
	}
}

func TestDrive_Errors(t *testing.T) {
	requests := [][]byte{{'0', '\n'}}
	if _, err := Drive(t.Context(), nil, Work{Requests: requests}); err == nil {
		t.Error("work without an end was begun")
	}
	refused := errors.New("refused")
	_, err := Drive(t.Context(), dial(t, listen(t, echo), 2, NewRESP(1)), Work{Requests: requests, For: time.Hour, Check: func([]byte) error { return refused }})
	if !errors.Is(err, refused) {
		t.Errorf("error %v, want %v", err, refused)
	}
	silent := dial(t, listen(t, func(c net.Conn) { io.Copy(io.Discard, c) }), 1, NewRESP(1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Drive(ctx, silent, Work{Requests: requests, Times: 1}); err == nil {
		t.Error("a server that does not answer gave no error")
	}
}
