package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

// tcp returns the two ends of a connection of the kernel's.
func tcp(t *testing.T) (server socket, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); c.Close() })
	return newSocket(c), client
}

// fill offers until the kernel takes no more, and returns what it took. On a busy machine that may not be for long: what it holds for one end it gives
// to the other when it gets to it.
func fill(t *testing.T, s *socket) (taken int) {
	t.Helper()
	block := make([]byte, 64<<10)
	for {
		rest, err := s.offer(block)
		if err != nil {
			t.Fatal(err)
		}
		if taken += len(block) - len(rest); len(rest) == len(block) {
			return taken
		}
	}
}

func TestSocket_FullSocketLosesNothing(t *testing.T) {
	s, client := tcp(t)
	taken := fill(t, &s)
	last := bytes.Repeat([]byte("laurel"), 50_000)
	rest, err := s.offer(last)
	if err != nil || !bytes.HasSuffix(last, rest) {
		t.Fatalf("of %d bytes %d are left, %v", len(last), len(rest), err)
	}
	written := make(chan error, 1)
	go func() { written <- s.write(rest, patience) }()
	all := make([]byte, taken+len(last))
	if _, err := io.ReadFull(client, all); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(all[taken:], last) {
		t.Error("what was written to a full socket came otherwise")
	}
}

func TestSocket_WaitsNoLongerThanItMay(t *testing.T) {
	s, _ := tcp(t)
	fill(t, &s)
	if err := s.write(make([]byte, 1<<20), 20*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a socket that takes nothing gave %v", err)
	}
}

func TestSocket_KernelHoldsLittle(t *testing.T) {
	s, client := tcp(t)
	if err := client.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	// The window that the client opened when it connected is full too, beside what the kernel keeps.
	if taken := fill(t, &s); taken > 512<<10 {
		t.Errorf("the kernel took %d KB for a client that reads nothing", taken>>10)
	}
}

func TestAppendHeader_LengthsOfRFC6455(t *testing.T) {
	for n, want := range map[int][]byte{
		0:       {0x81, 0},
		125:     {0x81, 125},
		126:     {0x81, 126, 0, 126},
		65_535:  {0x81, 126, 0xff, 0xff},
		65_536:  {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0},
		1 << 24: {0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0},
	} {
		if diff := cmp.Diff(want, appendHeader(nil, websocket.TextMessage, n)); diff != "" {
			t.Errorf("%d bytes: %s", n, diff)
		}
	}
}
